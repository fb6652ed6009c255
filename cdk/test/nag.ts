import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { App, Aspects, Stack, Validations } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks, NIST80053R5Checks } from 'cdk-nag';
import * as nag2 from 'cdk-nag-2';
import { configuration, functionZips } from './template';

/** The context of an app that is checked. */
export const nagContext = { functionZips, '@aws-cdk/aws-iam:minimizePolicies': true, ...configuration };

/** Returns an app that is checked. */
export function appWith(build: (app: App) => void): App {
  const app = new App({ context: nagContext });
  build(app);
  return app;
}

interface Report {
  readonly pluginReports: { readonly violations: { readonly ruleName: string; readonly violatingConstructs: { readonly constructPath: string }[] }[] }[];
}

/** Returns the findings of cdk-nag 2 that have no explanation. */
export function findingsOfNag2(app: App, Pack: typeof nag2.AwsSolutionsChecks | typeof nag2.NIST80053R5Checks = nag2.AwsSolutionsChecks): string[] {
  Aspects.of(app).add(new Pack());
  return app.node.findAll().filter(Stack.isStack).flatMap((stack) => {
    const annotations = Annotations.fromStack(stack);
    return [...annotations.findError('*', Match.anyValue()), ...annotations.findWarning('*', Match.anyValue())].map(({ id, entry }) => `${String(entry.data).split(':')[0]} ${id}`);
  }).filter((finding) => /^(AwsSolutions|NIST)/.test(finding));
}

/** Returns the findings of cdk-nag 3 that nobody has acknowledged, with the reason and the construct. */
export function findings(app: App, Pack: typeof AwsSolutionsChecks | typeof NIST80053R5Checks = AwsSolutionsChecks): string[] {
  Validations.of(app).addPlugins(new Pack(app));
  try {
    app.synth();
  } catch {
    // The report has more detail than the error.
  }
  process.exitCode = 0;
  const report = JSON.parse(readFileSync(path.join(app.outdir, 'validation-report.json'), 'utf8')) as Report;
  return report.pluginReports.flatMap(({ violations }) => violations.flatMap(({ ruleName, violatingConstructs }) =>
    violatingConstructs.map(({ constructPath }) => `${ruleName} ${constructPath}`)));
}
