import { readFileSync } from 'node:fs';
import { Bundle } from '../bundles/bundle';
import { Catalog, type CatalogOptions } from '../catalog/catalog';
import { FeedrankError } from '../errors';
import { defaultHalfLivesMs } from '../features/half-lives';
import { Feed } from '../feed/feed';
import type { FeedOptions, FeedRanking } from '../feed/feed-options';
import type { RankProfile } from '../profile/rank-profile';
import { blocked, eligible, maximumAge, muted, seen } from '../stages/native-filters';
import { coRead, decayedDot, followed, fresh, trending } from '../stages/native-generators';
import { decayedDotRanker, weightedSum } from '../stages/native-stages';
import { isObject } from '../validation';
import { ItemsFile } from './items-file';

/** What a feed is served from. */
export interface ServedFeedOptions {
  /** A file of items; see {@link ItemsFile}. */
  readonly items: string;
  /** The folder of a bundle. */
  readonly bundle?: string;
  /** A JSON file that holds a `RankProfile`, of requests that name none. */
  readonly profile?: string;
  /** Breaks off loading; it rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** A feed from files, and what belongs to it. */
export interface ServedFeed {
  readonly feed: Feed;
  /** What ranks, where it is a bundle. */
  readonly bundle: Bundle | undefined;
  dispose(): void;
}

const hour = 3_600_000;
const mostHalfLives = 8;

/**
 * A feed with every native generator and filter that the items and the bundle allow. Without a bundle
 * it ranks by decayed dot products where items have embeddings (then newest first for a query without
 * a vector), and otherwise by clicks, click-through rate and age. Rejects as `Bundle.open`, `Feed.create`
 * and {@link ItemsFile} do, and with `DATA_MISSING` or `DATA_MALFORMED` for the profile's file.
 */
export async function createServedFeed(options: ServedFeedOptions): Promise<ServedFeed> {
  const profile = options.profile === undefined ? undefined : readProfile(options.profile);
  const file = new ItemsFile(options.items, options.signal);
  const bundle = options.bundle === undefined ? undefined : await Bundle.open(options.bundle);
  const opened: { dispose(): void }[] = bundle === undefined ? [] : [bundle];
  const dispose = (): void => opened.forEach((one) => one.dispose());
  try {
    const declared = withBundle(await file.survey(), bundle);
    const catalog = await Catalog.create(declared);
    opened.unshift(catalog);
    const spaces = Object.keys(declared.spaces ?? {});
    const halfLivesMs = halfLivesFor(bundle);
    const feed = await Feed.create({
      catalog,
      halfLivesMs,
      ...segmentsFor(bundle),
      ...(profile === undefined ? {} : { profile }),
      generators: [
        ...spaces.map((space) => decayedDot({ space, name: `decayed-dot ${space}` })),
        trending({ halfLifeMs: nearest(halfLivesMs, 3 * hour) }),
        fresh(),
        followed(),
        coRead(),
      ],
      filters: [seen(), blocked(), muted(), eligible(), maximumAge()],
      ...rankingFor(bundle, spaces),
    });
    opened.unshift(feed);
    const towers = bundle?.towers;
    await file.load(catalog, async (items) => (towers ? towers.embed(items) : items));
    return { feed, bundle, dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

/** With the columns and the space that a bundle reads, whether the items have them or not. */
function withBundle(declared: CatalogOptions, bundle: Bundle | undefined): CatalogOptions {
  const columns = new Set(declared.columns);
  for (const { column } of featuresOf(bundle)) {
    if (column !== undefined) columns.add(column);
  }
  const spaces = { ...declared.spaces };
  if (bundle?.towers !== undefined) {
    const { name, dimensions, version } = bundle.towers.space;
    spaces[name] = { dimensions, version };
  }
  return { ...declared, spaces, columns: [...columns] };
}

function rankingFor(bundle: Bundle | undefined, [space]: readonly string[]): FeedRanking {
  if (bundle !== undefined) return { bundle };
  return {
    ranker:
      space === undefined
        ? weightedSum({ clicks_3h: 1, ctr_12h: 2, age: -0.2 })
        : decayedDotRanker({ space }),
  };
}

/** Those that the bundle reads, and the usual ones as far as there is room. */
function halfLivesFor(bundle: Bundle | undefined): number[] {
  const wanted = featuresOf(bundle)
    .filter(({ segment }) => segment === undefined)
    .flatMap(({ halfLifeMs, longerHalfLifeMs }) => [halfLifeMs, longerHalfLifeMs]);
  const own = wanted.filter((halfLife) => halfLife !== undefined);
  const all = [...new Set([...own, ...defaultHalfLivesMs])].slice(0, mostHalfLives);
  return all.sort((a, b) => a - b);
}

/** What the training noted of segments; where it noted nothing, `Feed.create` says what is missing. */
function segmentsFor(
  bundle: Bundle | undefined,
): Pick<FeedOptions, 'segments' | 'segmentHalfLivesMs'> {
  const ofSegments = featuresOf(bundle).filter(({ segment }) => segment !== undefined);
  const noted = bundle?.manifest.training['segments'];
  if (ofSegments.length === 0 || !isObject(noted)) return {};
  const halfLives = new Set(ofSegments.flatMap(({ halfLifeMs }) => halfLifeMs ?? []));
  return {
    segments: noted as Record<string, string[]>,
    segmentHalfLivesMs: [...halfLives].sort((a, b) => a - b),
  };
}

function featuresOf(bundle: Bundle | undefined) {
  return bundle?.manifest.ranker?.features ?? [];
}

function nearest(values: readonly number[], wanted: number): number {
  const away = (value: number): number => Math.abs(Math.log(value / wanted));
  return values.reduce((best, value) => (away(value) < away(best) ? value : best));
}

function readProfile(file: string): RankProfile {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
    throw new FeedrankError('DATA_MISSING', `profile: ${file} cannot be read: ${why}`, 'profile');
  }
  try {
    // What it holds is checked as every profile is.
    return JSON.parse(text) as RankProfile;
  } catch (error) {
    const why = (error as Error).message.slice(0, 200);
    throw new FeedrankError('DATA_MALFORMED', `profile: ${file} is no JSON: ${why}`, 'profile');
  }
}
