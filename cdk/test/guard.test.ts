import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import { CfnGuardValidator } from '@cdklabs/cdk-validator-cfnguard';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { plainTemplates } from '../lib/plain-templates';
import { applicationIn, everything, ingressIn } from './internet-facing-app';
import { pipelineIn } from './pipeline';
import { siteIn } from './static-site';
import { functionZips, synthesize } from './template';

// Findings of the Guard rules of AWS Control Tower that are intended: the rule, the resources, the reason.
type Meant = readonly [rule: string, resources: RegExp, reason: string];
const FUNCTIONS: readonly Meant[] = [
  ['cloudwatch_alarm_action_check', /^(PublishZone|DelegateSubdomain)Function/, 'alarmTopic is what an alarm notifies; without it the alarm is visible in CloudWatch'],
  ['cloudwatch_log_group_retention_period_check', /Logs$/, 'three months are enough to investigate a deployment; logRetention sets a longer time'],
  ['cloudwatch_log_group_encrypted_check', /Logs$/, 'CloudWatch Logs encrypts with its own key, and no line contains a secret'],
  ['lambda_inside_vpc_check', /Function$/, 'it calls APIs of AWS and name servers on the Internet, and takes no calls: a network of one\'s own adds nothing'],
  ['step_functions_state_machine_tracing_enabled_check', /StateMachine$/, 'it calls one function in a loop, and its log names every state'],
];
const EXAMPLE: readonly Meant[] = [
  ...FUNCTIONS,
  ['cloudwatch_log_group_retention_period_check', /Log$/, 'an example keeps logs for three months'],
  ['cloudwatch_log_group_encrypted_check', /Log$/, 'CloudWatch Logs encrypts with its own key'],
  ['lambda_inside_vpc_check', /^AWS679f53fac002430cb0da5b7982bd2287$/, 'it describes network interfaces, by an API of AWS'],
  // `undefined`: the plug-in does not name the resource at which the rule failed.
  ['elbv2_acm_certificate_required_check', /^(BalancerHttps|BalancerListener|undefined)$/, 'the certificate is ACM\'s, by a custom resource that the rule cannot look into'],
  ['elbv2_deletion_protection_enabled_check', /^(Balancer|Door|Front)$/, 'an example has to go away again'],
  ['elbv2_logging_enabled_check', /^(Door|Front)$/, 'a network load balancer logs TLS listeners only, and these have none'],
  ['alb_http_to_https_redirection_check', /^BalancerListener$/, 'without an origin it uses HTTP with the endpoint alone, and there is nothing to redirect to'],
  ['netfw_multi_az_enabled_check', /^EgressFirewall\d$/, 'there is a firewall in each zone'],
  ['s3_bucket_default_encryption_kms_check', /^AccessLogs$/, 'load balancers write with S3\'s own key only'],
  ['s3_bucket_versioning_enabled_check', /^AccessLogs$/, 'each log file is written once'],
  ['s3_bucket_logging_enabled_check', /^AccessLogs$/, 'it contains access logs itself'],
  ['s3_event_notifications_enabled_check', /^AccessLogs$/, 'nothing waits for a log file'],
  ['s3_bucket_object_lock_enabled_check', /^AccessLogs$/, 'the logs are for operation, not evidence'],
];
const SITE: readonly Meant[] = [
  ...FUNCTIONS,
  ['cloudfront_custom_ssl_certificate_check', /^(Distribution|undefined)$/, 'the certificate is ACM\'s, by a custom resource that the rule cannot look into'],
  ['cloudfront_sni_enabled_check', /^(Distribution|undefined)$/, 'it is `sni-only`; the rule needs a certificate that it can inspect'],
  ['cloudfront_origin_failover_enabled_check', /^Distribution$/, 'one bucket is all the origin that a static site has'],
  ['s3_bucket_acl_prohibited_check', /^Logs$/, 'CloudFront writes its standard logs with an ACL'],
  ['s3_bucket_default_encryption_kms_check', /^(Content|Logs)$/, 'what is in it is for everyone; CloudFront writes logs with S3\'s own key'],
  ['s3_bucket_versioning_enabled_check', /^Logs$/, 'each log file is written once'],
  ['s3_bucket_logging_enabled_check', /^Logs$/, 'it contains access logs itself'],
  ['s3_event_notifications_enabled_check', /^(Content|Logs)$/, 'nothing waits for a file'],
  ['s3_bucket_object_lock_enabled_check', /^(Content|Logs)$/, 'a site changes, and the logs are for operation, not evidence'],
];
const PIPELINE: readonly Meant[] = [
  ['codebuild_project_logging_enabled_check', /^Pipeline/, 'a project without log settings writes to CloudWatch Logs'],
  ['kms_create_grant_aws_service_check', /^(NotificationsKey|PipelineArtifactsBucketEncryptionKey)$/, 'the account itself may do all with its key, as in the policy that KMS gives one'],
  ['s3_bucket_default_encryption_kms_check', /^Cache$/, 'it contains crates, npm packages and build results'],
  ['s3_lifecycle_policy_check', /^PipelineArtifactsBucket$/, 'CDK Pipelines creates it; a stage is deployed again from its artifact'],
  ['s3_bucket_versioning_enabled_check', /^(Cache|PipelineArtifactsBucket)$/, 'each run writes its own artifacts, and a cache is built again'],
  ['s3_bucket_logging_enabled_check', /^(Cache|PipelineArtifactsBucket)$/, 'it is for the pipeline alone; CloudTrail records who used it'],
  ['s3_event_notifications_enabled_check', /^(Cache|PipelineArtifactsBucket)$/, 'the pipeline itself passes artifacts to its stages'],
  ['s3_bucket_object_lock_enabled_check', /^(Cache|PipelineArtifactsBucket)$/, 'what is in it can be built again'],
];

const folder = mkdtempSync(path.join(tmpdir(), 'templates-'));
after(() => rmSync(folder, { recursive: true }));

/** Returns the findings, as `rule: resource` with the logical id without its hash. */
function findings(templates: { readonly [name: string]: unknown }): { readonly rule: string; readonly resource: string }[] {
  const templatePaths = Object.entries(templates).map(([name, template]) => {
    const file = path.join(folder, `${name}.json`);
    writeFileSync(file, JSON.stringify(template));
    return file;
  });
  const { violations } = new CfnGuardValidator({ maxBuffer: 100_000_000 }).validate({ templatePaths } as Parameters<CfnGuardValidator['validate']>[0]);
  return violations.flatMap(({ ruleName, violatingResources }) => violatingResources.map(({ resourceLogicalId }) => (
    { rule: ruleName, resource: String(resourceLogicalId).replace(/[0-9A-F]{8}$/, '') })));
}

const jsonOf = (templates: { readonly [name: string]: Template }) => Object.fromEntries(Object.entries(templates).map(([name, template]) => [name, template.toJSON()]));
const newApp = () => new App({ context: { functionZips } });
const example = (ingress: object, application: object) => jsonOf({
  ingress: Template.fromStack(ingressIn(newApp(), ingress)), application: Template.fromStack(applicationIn(newApp(), application)),
});

const checked: readonly [name: string, templates: () => { readonly [name: string]: unknown }, meant: readonly Meant[]][] = [
  ['the app', () => jsonOf(synthesize()), FUNCTIONS],
  ['the plain templates', plainTemplates, FUNCTIONS],
  ['the internet-facing application', () => example({}, {}), EXAMPLE],
  ['the internet-facing application with everything', () => example(everything.ingress, everything.application), EXAMPLE],
  ['the static site', () => jsonOf({ site: Template.fromStack(siteIn(newApp())) }), SITE],
  ['the pipeline', () => jsonOf({ pipeline: Template.fromStack(pipelineIn(newApp())) }), PIPELINE],
];
const needed = new Set<Meant>();
for (const [name, templates, meant] of checked) {
  test(`Guard finds nothing without a reason in ${name}`, () => {
    const reasonFor = ({ rule, resource }: { rule: string; resource: string }) => meant.find(([of, resources]) => of === rule && resources.test(resource));
    const found = findings(templates()).map((finding) => ({ ...finding, reason: reasonFor(finding) }));
    assert.deepEqual(found.filter(({ reason }) => reason === undefined), []);
    found.forEach(({ reason }) => needed.add(reason!));
  });
}

test('every reason has a finding', () => {
  assert.deepEqual(checked.flatMap(([, , meant]) => meant).filter((reason) => !needed.has(reason)), []);
});
