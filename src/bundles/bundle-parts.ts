import { endianness } from 'node:os';
import { binding } from '../binding';
import { invalidArgument } from '../errors';
import type { FeatureDefinition } from '../features/feature';
import type { ItemId } from '../identity';
import type { TowersGolden } from '../models/towers-golden';
import {
  checkBytes,
  checkDistinct,
  checkInteger,
  checkItemIds,
  checkName,
  checkObject,
  copyVector,
} from '../validation';
import { checkFeatures, checkGolden, checkHeads, checkJson } from './check-parts';
import {
  bundleFiles,
  bundleFormatVersion,
  bundleKind,
  type BundleManifest,
  type GoldenVectors,
  type RankerManifest,
  type TowersManifest,
} from './manifest';

/** What a bundle holds. @internal */
export interface BundleParts {
  readonly ranker?: RankerParts;
  readonly towers?: TowerParts;
  /** Options of the training, as used. */
  readonly training: object;
  /** Fingerprint of the training data. */
  readonly data: object;
  readonly metrics: object;
}

/** @internal */
export interface RankerParts {
  /** The TorchScript file. */
  readonly bytes: Uint8Array;
  readonly features: readonly FeatureDefinition[];
  readonly heads: readonly { readonly name: string; readonly weight: number }[];
  readonly golden: GoldenVectors;
}

/** @internal */
export interface TowerParts {
  /** TorchScript files. */
  readonly userTower: Uint8Array;
  readonly itemTower: Uint8Array;
  readonly space: TowersManifest['space'];
  /** What the towers read. */
  readonly description: object;
  readonly items: {
    readonly ids: readonly ItemId[];
    readonly kind: 'string' | 'integer';
    /** [item × dimension], row-major. */
    readonly vectors: Float32Array;
  };
  readonly golden: TowersGolden;
}

type ListedFiles = BundleManifest['files'];

/**
 * The files of a bundle, and its manifest without the checksum. Throws `INVALID_ARGUMENT`,
 * `DUPLICATE_ID` or what is wrong with a feature.
 * @internal
 */
export function encodeParts(
  parts: BundleParts,
  createdAt: Date,
): {
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly manifest: (files: ListedFiles) => Omit<BundleManifest, 'checksum'>;
} {
  checkObject(parts, 'parts');
  if (parts.ranker === undefined && parts.towers === undefined) {
    throw invalidArgument('parts', 'a ranker, towers or both', parts);
  }
  const files = new Map<string, Uint8Array>();
  const ranker = parts.ranker && encodeRanker(parts.ranker, files);
  const towers = parts.towers && encodeTowers(parts.towers, files);
  const details = (['training', 'data', 'metrics'] as const).map((name) => {
    checkObject(parts[name], `parts.${name}`);
    checkJson(parts[name], `parts.${name}`);
    return [name, parts[name]] as const;
  });
  const { version, libtorchVersion } = binding();
  return {
    files,
    manifest: (listed) => ({
      formatVersion: bundleFormatVersion,
      kind: bundleKind,
      createdAt: createdAt.toISOString(),
      versions: { feedrank: version, libtorch: libtorchVersion },
      files: listed,
      ...(ranker && { ranker }),
      ...(towers && { towers }),
      ...(Object.fromEntries(details) as Pick<BundleManifest, 'training' | 'data' | 'metrics'>),
    }),
  };
}

function encodeRanker(parts: RankerParts, files: Map<string, Uint8Array>): RankerManifest {
  const features = checkFeatures(parts.features, 'parts.ranker.features');
  const heads = checkHeads(parts.heads, 'parts.ranker.heads');
  files.set(bundleFiles.ranker, checkBytes(parts.bytes, 'parts.ranker.bytes'));
  return {
    file: bundleFiles.ranker,
    features,
    ...tensorSchemas(features.length, heads.length),
    heads,
    golden: checkGolden(parts.golden, features.length, heads.length, 'parts.ranker.golden'),
  };
}

/** What a ranker takes and answers. @internal */
export function tensorSchemas(
  features: number,
  heads: number,
): Pick<RankerManifest, 'input' | 'output'> {
  return {
    input: { type: 'float32', shape: ['n', features] },
    output: { type: 'float32', shape: ['n', heads] },
  };
}

function encodeTowers(parts: TowerParts, files: Map<string, Uint8Array>): TowersManifest {
  const { space, items } = parts;
  const dimensions = checkInteger(space.dimensions, 'parts.towers.space.dimensions', 1, 65_536);
  const vectors = copyVector(items.vectors, 'parts.towers.items.vectors');
  const ids = checkTowerIds(items.ids, items.kind, 'parts.towers.items.ids');
  if (vectors.length !== ids.length * dimensions) {
    const expected = `${ids.length} vectors of ${dimensions} numbers`;
    throw invalidArgument('parts.towers.items.vectors', expected, items.vectors);
  }
  checkObject(parts.description, 'parts.towers.description');
  checkJson(parts.description, 'parts.towers.description');
  checkJson(parts.golden, 'parts.towers.golden');
  files.set(bundleFiles.userTower, checkBytes(parts.userTower, 'parts.towers.userTower'));
  files.set(bundleFiles.itemTower, checkBytes(parts.itemTower, 'parts.towers.itemTower'));
  files.set(bundleFiles.itemIds, Buffer.from(`${JSON.stringify(ids)}\n`));
  files.set(bundleFiles.itemVectors, littleEndian(vectors));
  return {
    userTower: bundleFiles.userTower,
    itemTower: bundleFiles.itemTower,
    itemIds: bundleFiles.itemIds,
    itemVectors: bundleFiles.itemVectors,
    space: {
      name: checkName(space.name, 'parts.towers.space.name'),
      version: checkName(space.version, 'parts.towers.space.version'),
      dimensions,
    },
    ids: items.kind,
    items: ids.length,
    description: parts.description as Record<string, unknown>,
    golden: parts.golden,
  };
}

/** Distinct ids of one kind. @internal */
export function checkTowerIds(
  ids: unknown,
  kind: 'string' | 'integer',
  argument: string,
): ItemId[] {
  const checked = checkItemIds(ids, kind, argument);
  checkDistinct(checked, argument);
  return checked;
}

/** The bytes of numbers as a bundle has them, or the numbers of such bytes: both are one swap. */
function littleEndian(vectors: Float32Array): Buffer {
  const bytes = Buffer.from(vectors.buffer, vectors.byteOffset, vectors.byteLength);
  return endianness() === 'BE' ? bytes.swap32() : bytes;
}

/** Numbers from little-endian bytes, copied. @internal */
export function fromLittleEndian(bytes: Buffer): Float32Array {
  const copy = new Float32Array(bytes.length / Float32Array.BYTES_PER_ELEMENT);
  Buffer.from(copy.buffer).set(bytes);
  littleEndian(copy);
  return copy;
}
