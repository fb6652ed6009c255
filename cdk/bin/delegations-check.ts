import { spawnSync } from 'node:child_process';
import { readConfiguration } from '../lib/configuration';
import { normalized } from '../lib/domain-name';
import { PropError } from '../lib/prop-checks';
import { commandLineContext, contextArguments } from './command-line-context';
import { orOneSentence } from './one-sentence';

// Lists the NS record sets in the delegated zone that no entry of `consumers` covers, with the credentials of the networking account. `npm run`
// starts it in cdk/. It calls the AWS CLI, which the documents use too, so that the app needs no SDK.

/** A record set as Route 53 lists it, and as a change of it takes it. */
interface RecordSet { readonly Name: string; readonly TTL: number; readonly ResourceRecords: { readonly Value: string }[] }

const { zoneName, parameterPrefix, networkingRegion, consumers } = orOneSentence(() => readConfiguration(commandLineContext(process.cwd(), contextArguments('delegations:check'))));
const granted = new Set(consumers.flatMap(({ names }) => names.map((name) => `${name}.${zoneName}`)));

orOneSentence(() => {
  const [zoneId] = aws('ssm', 'get-parameters', '--region', networkingRegion, '--names', `${parameterPrefix}/hosted-zone-id`, '--query', 'Parameters[].Value') as string[];
  if (zoneId === undefined) {
    throw new PropError(zoneName, undefined, `is not published under ${parameterPrefix} in ${networkingRegion}: use the credentials of the networking account, and deploy the networking stack first`);
  }
  const sets = aws('route53', 'list-resource-record-sets', '--hosted-zone-id', zoneId, '--query', "ResourceRecordSets[?Type=='NS']") as RecordSet[];
  const delegations = sets.filter(({ Name }) => normalized(Name) !== zoneName);
  const others = delegations.filter(({ Name }) => !granted.has(normalized(Name)));
  for (const set of others) {
    console.error(`${normalized(set.Name)} is delegated to ${set.ResourceRecords.map(({ Value }) => normalized(Value)).join(', ')} for ${set.TTL} seconds, but no entry of consumers has it.`);
    // The change batch for `aws route53 change-resource-record-sets`.
    console.log(JSON.stringify({ Changes: [{ Action: 'DELETE', ResourceRecordSet: set }] }));
  }
  if (others.length > 0) {
    process.exit(1);
  }
  console.log(`Every delegation in ${zoneName} (${zoneId}) is of an entry of consumers: ${delegations.length} NS record sets.`);
});

/** Returns the output of a command of the AWS CLI. The CLI itself reads all pages. */
function aws(...words: string[]): unknown {
  const { status, stdout, stderr, error } = spawnSync('aws', [...words, '--output', 'json'], { encoding: 'utf8' });
  if (error !== undefined) {
    throw new PropError('The AWS CLI', undefined, `is needed: ${error.message}`);
  }
  if (status !== 0) {
    throw new PropError(`aws ${words.slice(0, 2).join(' ')}`, undefined, `failed: ${stderr.trim().replace(/\.$/, '')}`);
  }
  return JSON.parse(stdout);
}
