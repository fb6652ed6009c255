import type { Consumer } from './consumer';
import type { Section } from './configuration-section';
import { relation } from './domain-name';

/** Notes what two consumers must not share, and names of one consumer that clash. */
export function rejectClashes(sections: readonly Section[], consumers: readonly Consumer[]): void {
  consumers.forEach((consumer, index) => {
    const section = sections[index]!;
    consumers.slice(0, index).forEach((earlier, earlierIndex) => rejectShared(section, consumer, earlier, sections[earlierIndex]!));
    rejectNested(section, 'names', consumer.names, 'give the upper one alone, and the lower one as one of its applications');
    rejectNested(section, 'applications', consumer.applications, 'an application below another must be created below that one');
    rejectOneOutput(section, consumer);
  });
}

/** Notes names that one consumer could capture from another, and accounts that are given twice, since each account has one delegation role. */
function rejectShared(section: Section, consumer: Consumer, earlier: Consumer, earlierSection: Section): void {
  if (consumer.account === earlier.account && consumer.account !== '') {
    section.wrong('account', `is ${consumer.account} like ${earlierSection.prefix}account: give all names of an account in one entry`);
  }
  const shared = consumer.names.flatMap((name) => earlier.names.map((other) => [name, relation(name, other), other] as const));
  for (const [name, how, other] of shared.filter(([, how]) => how !== undefined)) {
    const clash = how === 'equal to' ? `${earlierSection.prefix}names has too` : `is ${how} "${other}" of ${earlierSection.prefix}names`;
    section.wrong('names', `has "${name}", which ${clash}: the owner of a name could capture all names below it`);
  }
  if (consumer.stackName !== earlier.stackName || consumer.names[0] === earlier.names[0]) {
    return;
  }
  if (section.has('stackName') || earlierSection.has('stackName')) {
    section.wrong(section.has('stackName') ? 'stackName' : 'names', `gives the stack the name ${consumer.stackName}, which is that of ${
      earlierSection.prefix.slice(0, -1)} too: give it a stackName of its own`);
  } else {
    section.wrong('names', `begins with "${consumer.names[0]}", which gives the stack the name ${consumer.stackName} like ${
      earlierSection.prefix}names, which begins with "${earlier.names[0]}": let another name be the first`);
  }
}

/** Notes a name below another. It is in the other one's zone, so an NS record set in the parent would be occluded. */
function rejectNested(section: Section, key: string, names: readonly string[], way: string): void {
  for (const name of names) {
    const above = names.find((other) => relation(name, other) === 'below');
    if (above !== undefined) {
      section.wrong(key, `has "${name}", which is below "${above}" and so is in its zone: ${way}`);
    }
  }
}

/** Notes names that would give two outputs of the stack one name: the names of outputs have letters and digits only. */
function rejectOneOutput(section: Section, { createdNames, applications }: Consumer): void {
  const all = createdNames.flatMap((name) => [name, ...applications.map((application) => `${application}.${name}`)]);
  const bare = all.map((name) => name.replaceAll(/[._-]/g, ''));
  const twice = bare.findIndex((name, index) => bare.indexOf(name) !== index);
  if (twice >= 0) {
    section.wrong('names', `gives the subdomains "${all[bare.indexOf(bare[twice]!)]}" and "${all[twice]}", whose outputs would have one name: let them differ in letters or digits`);
  }
}
