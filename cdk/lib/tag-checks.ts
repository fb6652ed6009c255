import { TagManager, TagType } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { checkIs, PropError } from './prop-checks';
import { isUnknown } from './unknown';

interface Tags {
  readonly [key: string]: string;
}

// The characters that most services accept in keys and values: https://docs.aws.amazon.com/acm/latest/APIReference/API_Tag.html
export const TAG_CHARACTERS = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;
// Route 53 accepts all.
const ANY_CHARACTERS = /^[^]*$/;

/** Checks tags if they are given. `characters` is what the service accepts in keys and values. */
export function checkTags(tags: Tags = {}, characters = ANY_CHARACTERS): void {
  checkIs('tags', tags, (value) => typeof value === 'object' && value !== null && !Array.isArray(value), 'must be an object of strings');
  const [problem] = problemsOf(tags, characters);
  if (problem !== undefined) {
    throw problem;
  }
}

/** Returns the tags of a construct: those of its props, and those that `Tags.of()` adds, checked at synthesis, when all of them are known. */
export function checkedTags(construct: Construct, resourceType: string, tags: Tags = {}, characters = ANY_CHARACTERS): TagManager {
  checkTags(tags, characters);
  const manager = new TagManager(TagType.KEY_VALUE, resourceType);
  Object.entries(tags).forEach(([key, value]) => manager.setTag(key, value));
  const way = `(Tags.of().add() excludes the resource with { excludeResourceTypes: ['${resourceType}'] })`;
  construct.node.addValidation({ validate: () => problemsOf(manager.tagValues(), characters).map(({ message }) => `${message} ${way}`) });
  return manager;
}

// https://docs.aws.amazon.com/Route53/latest/APIReference/API_Tag.html, and ACM's as long.
function problemsOf(tags: Tags, characters: RegExp): PropError[] {
  return Object.entries(tags).flatMap(([key, value]) => {
    const [known, knownValue] = [!isUnknown(key), !isUnknown(value)];
    if (known && (key.length < 1 || key.length > 128 || /^(aws|zone-delegation):/i.test(key))) {
      return new PropError('tags', key, 'must have keys of 1 to 128 characters that do not start with "aws:" or "zone-delegation:"');
    }
    if (knownValue && (typeof value !== 'string' || value.length > 256)) {
      return new PropError(`tags.${key}`, value, 'must be a string of at most 256 characters');
    }
    if ((known && !characters.test(key)) || (knownValue && !characters.test(value))) {
      return new PropError(`tags.${key}`, value, 'must be letters, digits, spaces and "_.:/=+-@", in key and value');
    }
    return [];
  });
}
