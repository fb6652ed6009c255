import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';

interface Alarm {
  readonly Namespace: string;
  readonly MetricName: string;
  readonly Period: number;
  readonly EvaluationPeriods: number;
  readonly DatapointsToAlarm?: number;
  readonly TreatMissingData: string;
}

const MINUTE = 60;
const DAY = 86_400;
// How long after its date a data point may arrive, in seconds. Lambda dates an invocation's metrics at its start, and it ends after at most 15
// minutes. Step Functions promises no more than "near-real time". ACM counts once a day.
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
// https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html
// https://docs.aws.amazon.com/acm/latest/userguide/cloudwatch-metrics.html
const LATENESS: { readonly [metric: string]: number } = {
  'AWS/Lambda Errors': 15 * MINUTE + 5 * MINUTE,
  'AWS/Lambda Throttles': 5 * MINUTE,
  'AWS/Lambda AsyncEventsDropped': 15 * MINUTE + 5 * MINUTE,
  'AWS/States ExecutionsFailed': 15 * MINUTE,
  'AWS/States ExecutionsTimedOut': 15 * MINUTE,
  'AWS/States ExecutionsAborted': 15 * MINUTE,
  'AWS/CertificateManager DaysToExpiry': 0,
};

const folders = [path.join(__dirname, '..', 'templates'), path.join(__dirname, 'snapshots')];
const files = folders.flatMap((folder) => readdirSync(folder).filter((file) => file.endsWith('.yaml')).map((file) => path.join(folder, file)));
const alarms = files.flatMap((file) => Object.entries((parse(readFileSync(file, 'utf8')) as { Resources: { [id: string]: { Type: string; Properties: Alarm } } }).Resources)
  .filter(([, { Type }]) => Type === 'AWS::CloudWatch::Alarm')
  .map(([id, { Properties }]) => [`${path.basename(file)} ${id}`, Properties] as const));

test('every alarm evaluates a data point that arrives as late as its metric may', () => {
  for (const [where, { Namespace, MetricName, Period, EvaluationPeriods, DatapointsToAlarm = EvaluationPeriods }] of alarms) {
    const lateness = LATENESS[`${Namespace} ${MetricName}`];
    assert.ok(lateness !== undefined, `${where}: the lateness is unknown of ${Namespace} ${MetricName}`);
    // The last period may have only just begun, so it does not count.
    const seen = Namespace === 'AWS/CertificateManager' ? Period - DAY : Period * (EvaluationPeriods - 1);
    assert.ok(seen >= lateness, `${where} evaluates ${seen} seconds, but a data point may arrive ${lateness} seconds after its date`);
    assert.equal(DatapointsToAlarm, 1, `${where} waits for a second data point, which may never arrive`);
  }
});

test('a metric without data points, which means a count of zero, is no alarm', () => {
  for (const [where, { MetricName, TreatMissingData }] of alarms) {
    assert.equal(TreatMissingData, MetricName === 'DaysToExpiry' ? 'ignore' : 'notBreaching', where);
  }
});

test('each metric with a known lateness has an alarm', () => {
  assert.deepEqual([...new Set(alarms.map(([, { Namespace, MetricName }]) => `${Namespace} ${MetricName}`))].sort(), Object.keys(LATENESS).sort());
});
