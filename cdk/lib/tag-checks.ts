import { TagManager, TagType, Token } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { checkIs, PropError } from './prop-checks';

interface Tags {
  readonly [key: string]: string;
}

/**
 * The tags of a construct: those of its props, checked at once, and those that `Tags.of()` adds, checked at synth, when all of
 * them are known. `characters` is what the service takes in keys and values.
 */
export function checkedTags(construct: Construct, resourceType: string, tags: Tags = {}, characters = /^[^]*$/): TagManager {
  checkIs('tags', tags, (value) => typeof value === 'object' && value !== null && !Array.isArray(value), 'must be an object of strings');
  const [problem] = problemsOf(tags, characters);
  if (problem !== undefined) {
    throw problem;
  }
  const manager = new TagManager(TagType.KEY_VALUE, resourceType);
  Object.entries(tags).forEach(([key, value]) => manager.setTag(key, value));
  construct.node.addValidation({ validate: () => problemsOf(manager.tagValues(), characters).map(({ message }) => message) });
  return manager;
}

// https://docs.aws.amazon.com/Route53/latest/APIReference/API_Tag.html, and ACM's as long.
function problemsOf(tags: Tags, characters: RegExp): PropError[] {
  return Object.entries(tags).flatMap(([key, value]) => {
    const [known, knownValue] = [!Token.isUnresolved(key), !Token.isUnresolved(value)];
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
