// Succeeds: settings of the functions are set once.
// A template has: "Architectures":["x86_64"]
// A template has: "RetentionInDays":365
import { App, Stack } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { DelegatedSubdomain, FunctionDefaults, PublishedZone } from '../../lib';

const app = new App();
const consumer = new Stack(app, 'Consumer', { env: { account: '222222222222', region: 'eu-west-1' } });
const delegation = PublishedZone.delegation({
  networkingAccount: '111111111111', account: '222222222222', parameterPrefix: '/zone-delegation/dev', region: 'us-east-1', zoneName: 'build.example.com',
});

FunctionDefaults.set(app, { architecture: lambda.Architecture.X86_64, logRetention: logs.RetentionDays.ONE_YEAR });
new DelegatedSubdomain(consumer, 'Subdomain', { subdomain: 'dev', delegation });

app.synth();
