import type { Consumer } from './consumer';
import type { Section } from './configuration-section';

// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html; a stack's 500 resources are never reached before.
const MOST_OUTPUTS = 200;
/** The outputs of networking-stack.ts, beside one for each consumer. */
const OUTPUTS_OF_NETWORKING = 3;
/** The outputs of consumer-stack.ts for a name, and for an application below it. */
const OUTPUTS_OF_NAME = 2;
const OUTPUTS_OF_APPLICATION = 3;

/** Notes what would not fit into a stack. */
export function rejectExcess(root: Section, sections: readonly Section[], consumers: readonly Consumer[]): void {
  const most = MOST_OUTPUTS - OUTPUTS_OF_NETWORKING;
  if (consumers.length > most) {
    root.wrong('consumers', `must have ${most} entries at most, because the networking stack has an output for each, but it has ${consumers.length}`);
  }
  consumers.forEach(({ createdNames, applications }, index) => {
    const outputs = createdNames.length * (OUTPUTS_OF_NAME + applications.length * OUTPUTS_OF_APPLICATION);
    if (outputs > MOST_OUTPUTS) {
      sections[index]!.wrong(applications.length > 0 ? 'applications' : 'names', `gives ${outputs} outputs, and a stack has ${MOST_OUTPUTS} at most (${
        createdNames.length} names with ${OUTPUTS_OF_NAME} each${applications.length > 0 ? `, and ${applications.length} applications below each name with ${OUTPUTS_OF_APPLICATION} each` : ''})`);
    }
  });
}
