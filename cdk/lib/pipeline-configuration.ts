import { ACCOUNT, BRANCH, CONNECTION_ARN, EMAIL, REGION, REPOSITORY } from './configuration-rules';
import { ConfigurationError, type ConfigurationProblem, type Context, Section } from './configuration-section';

/** The pipeline that deploys the app. */
export interface PipelineConfiguration {
  /** Account of the pipeline. */
  readonly account: string;
  /** Region of the pipeline. */
  readonly region: string;
  /** The repository: `owner/name` behind a connection, else the name of one in CodeCommit. */
  readonly repository: string;
  /** The branch that is deployed. */
  readonly branch: string;
  /** ARN of the connection to GitHub, GitLab or Bitbucket; none for CodeCommit. */
  readonly connectionArn?: string;
  /** E-mail addresses that are notified if the pipeline fails. */
  readonly notify: string[];
}

/** Returns the pipeline in the CDK app's context. Throws a `ConfigurationError` with all problems. */
export function readPipelineConfiguration(context: Context): PipelineConfiguration {
  const problems: ConfigurationProblem[] = [];
  const root = new Section('', context, problems);
  const region = root.text('region', REGION);
  const section = root.section('pipeline', 'pipeline');
  const configuration = section && {
    account: section.text('account', ACCOUNT),
    region: section.optionalText('region', REGION) ?? region,
    repository: section.text('repository', REPOSITORY),
    branch: section.optionalText('branch', BRANCH) ?? 'main',
    connectionArn: section.optionalText('connectionArn', CONNECTION_ARN),
    notify: section.list('notify', EMAIL, []),
  };
  if (configuration && section.has('connectionArn') !== configuration.repository.includes('/') && configuration.repository !== '') {
    section.wrong('repository', section.has('connectionArn')
      ? 'must be "owner/name" if pipeline.connectionArn is given' : 'must be the name of a repository in CodeCommit if pipeline.connectionArn is missing',
    configuration.repository);
  }
  if (configuration === undefined || problems.length > 0) {
    throw new ConfigurationError(problems);
  }
  return configuration;
}
