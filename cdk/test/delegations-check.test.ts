import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { configuration } from './template';

const cdk = path.join(__dirname, '..');
const folder = mkdtempSync(path.join(tmpdir(), 'delegations-check-'));
after(() => rmSync(folder, { recursive: true }));
writeFileSync(path.join(folder, 'cdk.json'), JSON.stringify({ context: configuration }));

const record = (name: string, ...servers: string[]) => ({ Name: name, Type: 'NS', TTL: 300, ResourceRecords: servers.map((Value) => ({ Value })) });
const apex = record('build.example.com.', 'ns-1.awsdns-01.org.');
const dev = record('dev.build.example.com.', 'ns-2.awsdns-02.com.');

/** Runs `npm run delegations:check` with recorded answers of the AWS CLI, by its first two words. */
function check(answers: { readonly [command: string]: unknown }, ...words: string[]) {
  // It records its arguments, and answers from files.
  writeFileSync(path.join(folder, 'aws'), `#!/bin/sh\necho "$*" >> '${folder}/calls'\n[ -f "${folder}/$1 $2" ] || { echo "An error occurred (AccessDenied) when calling the operation: not authorized." >&2; exit 254; }\ncat "${folder}/$1 $2"\n`, { mode: 0o755 });
  ['ssm get-parameters', 'route53 list-resource-record-sets', 'calls'].forEach((file) => rmSync(path.join(folder, file), { force: true }));
  Object.entries(answers).forEach(([command, answer]) => writeFileSync(path.join(folder, command), JSON.stringify(answer)));
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', pathToFileURL(require.resolve('tsx')).href, path.join(cdk, 'bin', 'delegations-check.ts'), ...words], {
    cwd: folder, encoding: 'utf8', env: { ...process.env, HOME: folder, PATH: [folder, process.env['PATH']].join(path.delimiter) },
  });
  return { status, stdout, stderr };
}

test('delegations that entries of consumers cover are counted, and the apex is not among them', () => {
  const answers = { 'ssm get-parameters': ['Z0BUILD'], 'route53 list-resource-record-sets': [apex, dev] };
  assert.deepEqual(check(answers, '-c', 'networkingRegion=eu-west-1'), {
    status: 0, stdout: 'Every delegation in build.example.com (Z0BUILD) is of an entry of consumers: 1 NS record sets.\n', stderr: '',
  });
  assert.deepEqual(readFileSync(path.join(folder, 'calls'), 'utf8').trim().split('\n'), [
    'ssm get-parameters --region eu-west-1 --names /zone-delegation/dev/hosted-zone-id --query Parameters[].Value --output json',
    "route53 list-resource-record-sets --hosted-zone-id Z0BUILD --query ResourceRecordSets[?Type=='NS'] --output json",
  ]);
});

test('a delegation that no entry covers is listed with the change that deletes it, even if it is above or below a name', () => {
  const others = [record('qa.build.example.com.', 'ns-3.awsdns-03.net.', 'ns.attacker.example.'), record('a.dev.build.example.com.', 'ns-4.awsdns-04.org.')];
  const { status, stdout, stderr } = check({ 'ssm get-parameters': ['Z0BUILD'], 'route53 list-resource-record-sets': [apex, dev, ...others] });
  assert.equal(status, 1);
  assert.deepEqual(stderr.split('\n'), [
    'qa.build.example.com is delegated to ns-3.awsdns-03.net, ns.attacker.example for 300 seconds, but no entry of consumers has it.',
    'a.dev.build.example.com is delegated to ns-4.awsdns-04.org for 300 seconds, but no entry of consumers has it.', '',
  ]);
  assert.deepEqual(stdout.trim().split('\n').map((line) => JSON.parse(line) as unknown), others.map((ResourceRecordSet) => ({ Changes: [{ Action: 'DELETE', ResourceRecordSet }] })));
});

test('an error is reported in one sentence', () => {
  assert.match(check({ 'ssm get-parameters': [] }).stderr, /^build\.example\.com is not published under \/zone-delegation\/dev in us-east-1: use the credentials of the networking account, and deploy the networking stack first\.\n$/);
  assert.equal(check({ 'ssm get-parameters': ['Z0BUILD'] }).stderr,
    'aws route53 list-resource-record-sets failed: An error occurred (AccessDenied) when calling the operation: not authorized.\n');
  assert.equal(check({}, '--zone').stderr, "Unknown option '--zone'. Usage: npm run delegations:check -- [-c key=value]...\n");
  assert.match(check({}, '-c', 'region=x').stderr, /^region must be the name of a Region/);
});
