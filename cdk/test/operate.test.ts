import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { Template } from 'aws-cdk-lib/assertions';
import { plainTemplates } from '../lib/plain-templates';
import { resourcesOf, synthesize } from './template';

const root = path.join(__dirname, '..', '..');
const page = readFileSync(path.join(root, 'docs', 'operate.md'), 'utf8');

const topic = (account: string) => ({ alarmTopicArn: `arn:aws:sns:us-east-1:${account}:Alarms` });
const templates = [
  ...Object.values(synthesize({ ...topic('111111111111'), consumers: [{ account: '222222222222', applications: ['app1'], ...topic('222222222222') }] })),
  ...Object.values(plainTemplates()).map((template) => Template.fromJSON(JSON.parse(JSON.stringify(template)) as { [key: string]: unknown })),
];
const resources = templates.flatMap((template) => Object.entries(resourcesOf(template)));

/** Returns the rows of a table by their first cell. */
function rowsOf(pattern: RegExp): [first: string, rest: string][] {
  return [...page.matchAll(pattern)].map(([, first, rest]) => [first!, rest!]);
}

test('docs/operate.md has exactly the alarms of the templates, with their metrics', () => {
  const rows = rowsOf(/^\| `(\w+Alarm)` \| `(\w+)` of /gm).sort();
  const alarms = resources.filter(([, { Type }]) => Type === 'AWS::CloudWatch::Alarm')
    .map(([id, { Properties }]) => [id.replace(/^.*?([A-Z][a-z]+|Executions[A-Z][A-Za-z]+)Alarm[0-9A-F]{8}$/, '$1Alarm'), String(Properties['MetricName'])]);
  assert.deepEqual([...new Set(alarms.map((alarm) => JSON.stringify(alarm)))].sort(), rows.map((row) => JSON.stringify(row)).sort());
});

test('docs/operate.md has every log group', () => {
  const groups = resources.filter(([, { Type }]) => Type === 'AWS::Logs::LogGroup').map(([id]) => /(Waiter)?Logs(?=[0-9A-F]{8}$)/.exec(id)![0]);
  assert.deepEqual([...new Set(groups)].filter((group) => !page.includes(`\`…${group}\``)), []);
});

test('docs/operate.md has every field of a log line', () => {
  const sources: { readonly [message: string]: string } = { 'AWS call': 'aws-calls/src/call.rs', 'request closed': 'custom-resource/src/summary.rs' };
  const rows = rowsOf(/^\| `([A-Za-z ]+)` \| at the end of [^|]+ \| (.*) \|$/gm);
  assert.deepEqual(rows.map(([message]) => message), Object.keys(sources));
  for (const [message, holds] of rows) {
    const source = readFileSync(path.join(root, 'crates', sources[message]!), 'utf8');
    assert.ok(source.includes(`"${message}"`));
    // The fields are before the message, each on a line of its own: `name,` or `name = value,`.
    const events = [...source.matchAll(/tracing::info!\(([^;]*?)\);/gs)].map(([, event]) => event!);
    const fields = new Set(events.flatMap((event) => [...event.matchAll(/^ +(\w+)(?: = .*)?,$/gm)].map(([, field]) => field!)));
    const outcomes = ['ok', 'waiting', 'handed over', 'not answered'];
    const named = [...holds.matchAll(/`([^`]+)`/g)].map(([, field]) => field!).filter((field) => !outcomes.includes(field));
    assert.deepEqual(named.sort(), [...fields].sort());
  }
});

test('an alarm notifies the topic of its stack, if there is one', () => {
  const actions = (template: Template) => new Set(Object.values(resourcesOf(template)).filter(({ Type }) => Type === 'AWS::CloudWatch::Alarm')
    .map(({ Properties }) => JSON.stringify(Properties['AlarmActions'])));
  const [networking, consumer, ...plain] = templates;
  assert.deepEqual([...actions(networking!)], ['["arn:aws:sns:us-east-1:111111111111:Alarms"]']);
  assert.deepEqual([...actions(consumer!)], ['["arn:aws:sns:us-east-1:222222222222:Alarms"]']);
  Object.values(synthesize()).forEach((template) => assert.deepEqual([...actions(template)], [undefined]));
  for (const template of plain) {
    const alarms = Object.values(resourcesOf(template)).filter(({ Type }) => Type === 'AWS::CloudWatch::Alarm') as unknown as { Condition?: string; Properties: { AlarmActions: unknown } }[];
    for (const { Condition, Properties } of alarms) {
      assert.deepEqual(Properties.AlarmActions,
        [Condition === 'WatchesCertificate' ? { Ref: 'AlarmTopicArn' } : { 'Fn::If': ['HasAlarmTopic', { Ref: 'AlarmTopicArn' }, { Ref: 'AWS::NoValue' }] }]);
    }
  }
});
