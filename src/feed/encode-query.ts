import type { NativeNames, NativeQuery } from '../binding';
import type { Catalog } from '../catalog/catalog';
import type { ItemId } from '../identity';
import { FeedrankError, invalidArgument } from '../errors';
import { toMilliseconds } from '../instant';
import { percentileBounds } from '../process-defaults';
import type { RankSettings } from '../profile/rank-settings';
import type { StageContext } from '../stages/stage';
import {
  checkDistinct,
  checkFlag,
  checkInteger,
  checkItemId,
  checkItemIds,
  checkName,
  checkNumber,
  checkObject,
  checkPositive,
  checkUserId,
  copyVector,
  ownValue,
} from '../validation';
import type { Query } from './query';
import type { UserVector } from '../user-vector';
import type { Segmentation } from './segmentation';

const known = new Set([
  'userId',
  'userVector',
  'now',
  'limit',
  'context',
  'segments',
  'currentItemId',
  'follows',
  'blocked',
  'muted',
  'seen',
  'profile',
  'budgetMs',
  'budgetPercentile',
  'explain',
  'seed',
  'signal',
]);

/** A query that has been checked: for the native core, and for the user's own stages. @internal */
export interface CheckedQuery {
  readonly native: NativeQuery;
  readonly stage: Omit<StageContext, 'signal'>;
}

/** Refuses a misspelt field, which would otherwise be ignored in silence. @internal */
export function checkQueryFields(query: unknown): Query {
  for (const name of Object.keys(checkObject(query, 'query'))) {
    if (!known.has(name)) {
      throw invalidArgument(`query.${name}`, `one of the fields ${[...known].join(', ')}`, name);
    }
  }
  return query as Query;
}

/** @internal */
export function encodeQuery(
  query: Query,
  catalog: Catalog,
  segmentation: Segmentation,
  settings: RankSettings,
  contextKeys: readonly string[],
  list: readonly ItemId[] | undefined,
): CheckedQuery {
  const { ids } = catalog.schema;
  const now = query.now === undefined ? Date.now() : toMilliseconds(query.now, 'query.now');
  const limit = list === undefined ? settings.limit : Math.max(1, list.length);
  const context = checkContext(query.context ?? {});
  const vectors = checkVectors(query.userVector, catalog);
  const stage = {
    userId: query.userId === undefined ? undefined : checkUserId(query.userId, 'query.userId'),
    userVectors: vectors.map(({ space, values }) => ({ space: space.name, values })),
    now,
    limit: query.limit === undefined ? limit : checkInteger(query.limit, 'query.limit', 1, 10_000),
    context,
    segments: { ...query.segments },
    currentItemId:
      query.currentItemId === undefined
        ? undefined
        : checkItemId(query.currentItemId, ids, 'query.currentItemId'),
    follows: checkNames(query.follows, 'query.follows'),
    blocked: checkNames(query.blocked, 'query.blocked'),
    muted: checkNames(query.muted, 'query.muted'),
    seen: query.seen === undefined ? [] : checkItemIds(query.seen, ids, 'query.seen'),
    seed: query.seed === undefined ? 0 : checkSeed(query.seed),
    settings,
  };
  return {
    stage,
    native: {
      userId: stage.userId,
      userVectors: vectors.map(({ space, values }) => ({ space: space.index, values })),
      now,
      limit: stage.limit,
      context: Float64Array.from(contextKeys, (key) => ownValue(context, key) ?? NaN),
      segments: segmentation.encode(query.segments, 'query.segments'),
      currentItem: stage.currentItemId,
      follows: stage.follows,
      blocked: stage.blocked,
      muted: stage.muted,
      seen: stage.seen,
      list,
      explain: query.explain === undefined ? false : checkFlag(query.explain, 'query.explain'),
    },
  };
}

/** @internal */
export function checkList(list: unknown, catalog: Catalog): ItemId[] {
  const ids = checkItemIds(list, catalog.schema.ids, 'ids');
  checkDistinct(ids, 'ids');
  return ids;
}

/** Request over profile. @internal */
export function requestSettings(settings: RankSettings, query: Query): RankSettings {
  const { budgetMs, budgetPercentile } = query;
  if (budgetMs === undefined && budgetPercentile === undefined) return settings;
  return {
    ...settings,
    ...(budgetMs !== undefined && { budgetMs: checkPositive(budgetMs, 'query.budgetMs', true) }),
    ...(budgetPercentile !== undefined && {
      budgetPercentile: checkNumber(
        budgetPercentile,
        'query.budgetPercentile',
        ...percentileBounds,
      ),
    }),
  };
}

const mostNames = 1000;

/** @throws {FeedrankError} `INVALID_ARGUMENT` */
function checkNames(value: unknown, argument: string): NativeNames {
  const names = checkObject(value ?? {}, argument);
  for (const field of Object.keys(names)) {
    if (field !== 'authors' && field !== 'topics') {
      throw invalidArgument(`${argument}.${field}`, 'authors or topics', field);
    }
  }
  const list = (field: 'authors' | 'topics'): string[] => {
    const given = names[field] ?? [];
    if (!Array.isArray(given) || given.length > mostNames) {
      throw invalidArgument(
        `${argument}.${field}`,
        `an array of at most ${mostNames} names`,
        given,
      );
    }
    return given.map((name, i) => checkName(name, `${argument}.${field}[${i}]`));
  };
  return { authors: list('authors'), topics: list('topics') };
}

function checkSeed(value: unknown): number {
  if (Number.isSafeInteger(value)) return Object.is(value, -0) ? 0 : (value as number);
  throw invalidArgument('query.seed', 'a safe integer', value);
}

function checkContext(value: unknown): Readonly<Record<string, number>> {
  const context = checkObject(value, 'query.context');
  for (const [key, element] of Object.entries(context)) {
    if (!Number.isFinite(element)) {
      throw invalidArgument(`query.context.${key}`, 'a finite number', element);
    }
  }
  return context as Record<string, number>;
}

function checkVectors(value: unknown, catalog: Catalog) {
  if (value === undefined) return [];
  const vectors = Array.isArray(value) ? value : [value];
  return vectors.map((vector: unknown, i) => {
    const path = vectors.length === 1 ? 'query.userVector' : `query.userVector[${i}]`;
    const { space: name, values } = checkObject(vector, path) as unknown as UserVector;
    const { index, dimensions } = catalog.space(name, `${path}.space`);
    const copy = copyVector(values, `${path}.values`);
    if (copy.length === 0 || copy.length % dimensions !== 0) {
      throw new FeedrankError(
        'DIMENSION_MISMATCH',
        `${path}.values: expected a multiple of ${dimensions} values, got ${copy.length}`,
        `${path}.values`,
      );
    }
    return { space: { name, index }, values: copy };
  });
}
