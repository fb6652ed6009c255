/** A consumer account, as the configuration names it. */
export interface Consumer {
  /** Account of the consumer. */
  readonly account: string;
  /** Region of its stack. */
  readonly region: string;
  /** The names that its delegation role covers, relative to the delegated zone. */
  readonly names: string[];
  /** Those of its names that its stack creates: all except the retired ones. */
  readonly createdNames: string[];
  /** Application subdomains, created below each of the names that its stack creates. */
  readonly applications: string[];
  /** Region of the applications' certificates. */
  readonly certificateRegion: string;
  /** External id of its delegation role. */
  readonly externalId?: string;
  /** Name of its stack. */
  readonly stackName: string;
  /** Time to live of its NS record sets. */
  readonly ttlSeconds?: number;
  /** On delete, how long its zones stay after the deletion of their NS record sets. */
  readonly drainSeconds?: number;
  /** The topic that its stack's alarms notify, in its Region. */
  readonly alarmTopicArn?: string;
  /** Whether its zones and their NS record sets stay if they leave the template or the stack is deleted. */
  readonly retainZones: boolean;
}
