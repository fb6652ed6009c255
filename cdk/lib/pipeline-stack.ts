import { Arn, ArnFormat, Aws, Duration, RemovalPolicy, Stack, Stage, type StackProps } from 'aws-cdk-lib';
import * as codebuild from 'aws-cdk-lib/aws-codebuild';
import * as codecommit from 'aws-cdk-lib/aws-codecommit';
import * as codepipeline from 'aws-cdk-lib/aws-codepipeline';
import { SnsTopic } from 'aws-cdk-lib/aws-events-targets';
import { RuleTargetInput } from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as sns from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { CodeBuildStep, type CodeBuildStepProps, CodePipeline, CodePipelineSource } from 'aws-cdk-lib/pipelines';
import type { Construct } from 'constructs';
import { acknowledge } from './acknowledge';
import { addConsumerStack, addNetworkingStack, functionSettingsOf } from './app';
import type { Configuration } from './configuration';
import type { PipelineConfiguration } from './pipeline-configuration';

// The command line tools of package.json, and the one of the same day that publishes assets.
const CDK_CLI = '2.1148.1';
const CDK_ASSETS = '4.7.3';
const ARM64_TARGET = 'aarch64-unknown-linux-gnu';
const X86_64_TARGET = 'x86_64-unknown-linux-gnu';

/** Properties of the pipeline stack. */
export interface PipelineStackProps extends StackProps {
  /** What the pipeline deploys. */
  readonly configuration: Configuration;
  /** The pipeline itself. */
  readonly pipeline: PipelineConfiguration;
}

/** The pipeline: builds, then tests, then the networking stack, then all consumers at once. It deploys changes of itself first. */
export class PipelineStack extends Stack {
  public constructor(scope: Construct, id: string, props: PipelineStackProps) {
    super(scope, id, props);
    const { configuration } = props;
    const cache = this.cacheBucket();
    const source = this.source(props.pipeline);
    const pipeline = new CodePipeline(this, 'Pipeline', {
      pipelineName: id,
      pipelineType: codepipeline.PipelineType.V2,
      // Consumers are in other accounts, so the artifacts' key must be one that they can use.
      crossAccountKeys: true,
      enableKeyRotation: true,
      cliVersion: CDK_CLI,
      cdkAssetsCliVersion: CDK_ASSETS,
      synth: this.synth(props, source, cache),
    });

    const settings = functionSettingsOf(configuration);
    const networking = new Stage(this, 'Networking');
    addNetworkingStack(networking, configuration, settings);
    pipeline.addStage(networking, { pre: [this.test(source, cache)] });

    const consumers = pipeline.addWave('Consumers');
    for (const consumer of configuration.consumers) {
      // A stage has its account in its name: a consumer's names may change, its account is what it is.
      const stage = new Stage(this, `Consumer${consumer.account}`);
      addConsumerStack(stage, configuration, consumer, settings);
      consumers.addStage(stage);
    }

    pipeline.buildPipeline();
    if (props.pipeline.connectionArn !== undefined) {
      grantConnection(pipeline.pipeline, props.pipeline.connectionArn);
    }
    this.tellOfFailures(pipeline.pipeline, props.pipeline.notify);
    acknowledge(this, 'S1', 'The buckets contain what can be built again, and only the pipeline uses them; CloudTrail records who did');
  }

  private source({ connectionArn, repository, branch }: PipelineConfiguration): CodePipelineSource {
    return connectionArn
      ? CodePipelineSource.connection(repository, branch, { connectionArn })
      : CodePipelineSource.codeCommit(codecommit.Repository.fromRepositoryName(this, 'Repository', repository), branch);
  }

  /** Builds the functions, and creates the templates and the packages of the functions. */
  private synth({ configuration }: PipelineStackProps, source: CodePipelineSource, cache: s3.IBucket): CodeBuildStep {
    const target = configuration.architecture === 'arm64' ? ARM64_TARGET : X86_64_TARGET;
    return this.build('Synthesize', cache, {
      input: source,
      installCommands: install(target),
      commands: [
        // cargo-lambda, with which the functions are built.
        'python3 -m venv .venv',
        '.venv/bin/pip install --require-hashes --only-binary :all: -r tests/emulator/requirements.txt',
        'export PATH="$PWD/.venv/bin:$PATH"',
        'cd cdk',
        'npm ci --ignore-scripts',
        'npx cdk synth --quiet --app "npx tsx bin/pipeline.ts"',
      ],
      primaryOutputDirectory: 'cdk/cdk.out',
    });
  }

  /** Tests the functions and this app. Nothing that this step builds is deployed. */
  private test(source: CodePipelineSource, cache: s3.IBucket): CodeBuildStep {
    return this.build('Test', cache, { input: source, installCommands: install(X86_64_TARGET), commands: ['cargo xtask test'] });
  }

  private build(id: string, cache: s3.IBucket, props: CodeBuildStepProps): CodeBuildStep {
    return new CodeBuildStep(id, {
      ...props,
      timeout: Duration.hours(2),
      cache: codebuild.Cache.bucket(cache, { prefix: id.toLowerCase() }),
      buildEnvironment: {
        buildImage: codebuild.LinuxBuildImage.AMAZON_LINUX_2023_5,
        computeType: codebuild.ComputeType.LARGE,
      },
      partialBuildSpec: codebuild.BuildSpec.fromObject({
        phases: { install: { 'runtime-versions': { nodejs: '22', python: '3.12' } } },
        // Archives whose checksums the lock files have, and nothing that was built.
        cache: { paths: ['/root/.cargo/registry/cache/**/*', '/root/.npm/**/*'] },
      }),
    });
  }

  private cacheBucket(): s3.Bucket {
    return new s3.Bucket(this, 'Cache', {
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      encryption: s3.BucketEncryption.S3_MANAGED,
      lifecycleRules: [{ expiration: Duration.days(30), abortIncompleteMultipartUploadAfter: Duration.days(1) }],
    });
  }

  private tellOfFailures(pipeline: codepipeline.Pipeline, addresses: string[]): void {
    const key = new kms.Key(this, 'NotificationsKey', {
      description: `Failures of the pipeline ${pipeline.node.path}`,
      enableKeyRotation: true,
      // A topic stores no messages, so the key encrypts nothing that must be kept.
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const topic = new sns.Topic(this, 'Notifications', { masterKey: key, enforceSSL: true });
    for (const address of addresses) {
      topic.addSubscription(new EmailSubscription(address));
    }
    // The target lets EventBridge publish to the topic and use its key.
    pipeline.onStateChange('Failed', {
      description: 'The pipeline failed',
      eventPattern: { detail: { state: ['FAILED'] } },
      target: new SnsTopic(topic, {
        message: RuleTargetInput.fromText(`The pipeline ${pipeline.pipelineName} failed: https://${Aws.REGION}.console.aws.amazon.com/codesuite/codepipeline/pipelines/${this.stackName}/view`),
      }),
    });
  }
}

/** Installs the Rust that the workflows install, by the checksums of its archives. */
function install(target: string): string[] {
  return [`.github/install-rust.sh "$HOME/rust" ${target}`, 'export PATH="$HOME/rust/bin:$PATH"'];
}

// aws-cdk-lib grants `codestar-connections:UseConnection` whatever the connection's ARN. IAM requires the action of the ARN's own service:
// https://docs.aws.amazon.com/dtconsole/latest/userguide/rename.html
function grantConnection(pipeline: codepipeline.Pipeline, connectionArn: string): void {
  const { service } = Arn.split(connectionArn, ArnFormat.SLASH_RESOURCE_NAME);
  const grant = new iam.PolicyStatement({ actions: [`${service}:UseConnection`], resources: [connectionArn] });
  const roles = pipeline.node.findChild('Source').node.findAll().filter((construct) => construct instanceof iam.Role);
  roles.forEach((role) => role.addToPolicy(grant));
}
