import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks, NIST80053R5Checks } from 'cdk-nag';
import { configuration, functionZips } from './template';

interface Report {
  readonly pluginReports: { readonly violations: { readonly ruleName: string; readonly violatingConstructs: { readonly constructPath: string }[] }[] }[];
}

/** What cdk-nag finds and nobody has acknowledged, with a reason, where it stands. */
export function findings(build: (app: App) => void, Pack: typeof AwsSolutionsChecks | typeof NIST80053R5Checks = AwsSolutionsChecks): string[] {
  const app = new App({ context: { functionZips, '@aws-cdk/aws-iam:minimizePolicies': true, ...configuration } });
  build(app);
  Validations.of(app).addPlugins(new Pack(app));
  try {
    app.synth();
  } catch {
    // The report says more than the error.
  }
  process.exitCode = 0;
  const report = JSON.parse(readFileSync(path.join(app.outdir, 'validation-report.json'), 'utf8')) as Report;
  return report.pluginReports.flatMap(({ violations }) => violations.flatMap(({ ruleName, violatingConstructs }) =>
    violatingConstructs.map(({ constructPath }) => `${ruleName} ${constructPath}`)));
}
