import { FeedrankError, invalidArgument } from '../errors';
import { checkName, checkObject, checkPositive } from '../validation';
import { featuresOf } from './built-in-features';
import {
  referenceSets,
  sources,
  type FeatureDefinition,
  type FeatureSource,
  type FeatureVocabulary,
} from './feature';

/**
 * A definition from a name that every feed knows, or from an object that a user wrote. Throws
 * `UNKNOWN_FEATURE`, `UNKNOWN_SEGMENT` or `INVALID_ARGUMENT`.
 * @internal
 */
export function toFeatureDefinition(
  value: unknown,
  vocabulary: FeatureVocabulary,
  argument: string,
): FeatureDefinition {
  const name = typeof value === 'string' ? value : checkObject(value, argument)['name'];
  checkName(name, `${argument}.name`);
  if (typeof value === 'string' || (value as FeatureDefinition).source === undefined) {
    const known = featuresOf(vocabulary);
    const found = known.get(name as string);
    if (found !== undefined) return found;
    const absolute = [...known.values()].filter(({ reference }) => reference === 'none');
    throw new FeedrankError(
      'UNKNOWN_FEATURE',
      `${argument}: no feature ${JSON.stringify(name)}; a feature that every feed knows is one of ` +
        `${absolute.map((candidate) => candidate.name).join(', ')}, some of them with _vs_pool or ` +
        `_vs_list behind it, and any other needs a 'source'`,
      argument,
    );
  }
  const definition = value as FeatureDefinition;
  if (!Object.hasOwn(sources, definition.source)) {
    throw invalidArgument(
      `${argument}.source`,
      `one of ${Object.keys(sources).join(', ')}`,
      definition.source,
    );
  }
  const transformation = definition.transformation ?? 'identity';
  if (transformation !== 'identity' && transformation !== 'log1p') {
    throw invalidArgument(`${argument}.transformation`, "'identity' or 'log1p'", transformation);
  }
  if (definition.missing !== undefined && !Number.isFinite(definition.missing)) {
    throw invalidArgument(`${argument}.missing`, 'a finite number', definition.missing);
  }
  const reference = checkReference(definition, argument);
  checkHalfLives(definition, vocabulary, argument);
  for (const field of sources[definition.source].names ?? []) {
    checkName(definition[field], `${argument}.${field}`);
  }
  if (definition.column !== undefined) checkName(definition.column, `${argument}.column`);
  if (definition.segment !== undefined && !Object.hasOwn(vocabulary.segments, definition.segment)) {
    throw new FeedrankError(
      'UNKNOWN_SEGMENT',
      `${argument}.segment: the feed has no segment ${JSON.stringify(definition.segment)}; it has: ` +
        (Object.keys(vocabulary.segments).join(', ') || 'none'),
      `${argument}.segment`,
    );
  }
  return { ...definition, transformation, reference };
}

function checkReference(
  { source, reference = 'none' }: FeatureDefinition,
  argument: string,
): FeatureDefinition['reference'] & string {
  if (!referenceSets.includes(reference)) {
    throw invalidArgument(`${argument}.reference`, "'none', 'pool' or 'list'", reference);
  }
  if (reference === 'pool' && !sources[source].ofItem) {
    const ofItem = (Object.keys(sources) as FeatureSource[]).filter((one) => sources[one].ofItem);
    throw invalidArgument(
      `${argument}.reference`,
      `'none' or 'list', because only features of the item alone can be relative to the pool ` +
        `(${ofItem.join(', ')})`,
      reference,
    );
  }
  return reference;
}

function checkHalfLives(
  definition: FeatureDefinition,
  { halfLivesMs, segmentHalfLivesMs }: FeatureVocabulary,
  argument: string,
): void {
  const { decays } = sources[definition.source];
  if (decays === undefined) return;
  const known = decays === 'items' ? halfLivesMs : segmentHalfLivesMs;
  const halfLifeMs = checkPositive(definition.halfLifeMs, `${argument}.halfLifeMs`);
  if (!known.includes(halfLifeMs)) {
    throw invalidArgument(
      `${argument}.halfLifeMs`,
      `one of the feed's half-lives (${known.join(', ')})`,
      halfLifeMs,
    );
  }
  if (definition.source !== 'trend') return;
  const longer = known.filter((candidate) => candidate > halfLifeMs);
  if (!longer.includes(definition.longerHalfLifeMs as number)) {
    throw invalidArgument(
      `${argument}.longerHalfLifeMs`,
      `one of the feed's longer half-lives (${longer.join(', ')})`,
      definition.longerHalfLifeMs,
    );
  }
}
