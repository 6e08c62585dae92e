import type { FeatureDefinition } from '../features/feature';
import type { TowersGolden } from '../models/towers-golden';

/** Version of the format that this package writes, and the newest that it reads. */
export const bundleFormatVersion = 1;

/** What a manifest calls itself. */
export const bundleKind = 'feedrank-bundle';

/** @internal */
export const manifestName = 'manifest.json';

/** Names of the files of a bundle, beside its manifest. @internal */
export const bundleFiles = {
  ranker: 'ranker.pt',
  userTower: 'user-tower.pt',
  itemTower: 'item-tower.pt',
  itemIds: 'item-ids.json',
  itemVectors: 'item-vectors.f32',
} as const;

/** What the name of a bundle's file looks like: of the bundle's own folder, never a path. @internal */
export const fileNamePattern = '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$';

/** Rows of input, and what a model answered to them when it was exported. */
export interface GoldenVectors {
  readonly inputs: readonly (readonly number[])[];
  readonly outputs: readonly (readonly number[])[];
}

/** A tensor of a model: its type, and its shape where letters stand for what a caller chooses. */
export interface TensorSchema {
  readonly type: 'float32';
  readonly shape: readonly (string | number)[];
}

/** What a manifest says of a bundle's ranker. */
export interface RankerManifest {
  readonly file: string;
  /** The columns of the input, in order, each defined in full. */
  readonly features: readonly FeatureDefinition[];
  /** float32 [n, features]. */
  readonly input: TensorSchema;
  /** float32 [n, heads]. */
  readonly output: TensorSchema;
  /** The columns of the output, in order. The score is the sum of head · weight. */
  readonly heads: readonly { readonly name: string; readonly weight: number }[];
  /** Inputs [row × feature] and outputs [row × head]. */
  readonly golden: GoldenVectors;
}

/** What a manifest says of a bundle's two towers. */
export interface TowersManifest {
  readonly userTower: string;
  readonly itemTower: string;
  readonly itemIds: string;
  /** float32, little-endian, row-major: one row an item, in the order of the ids. */
  readonly itemVectors: string;
  /** The embedding space that both towers map into. */
  readonly space: {
    readonly name: string;
    readonly version: string;
    readonly dimensions: number;
  };
  /** Kind of the item ids. */
  readonly ids: 'string' | 'integer';
  readonly items: number;
  /** What the towers read. */
  readonly description: Readonly<Record<string, unknown>>;
  /** Inputs of both towers, and their answers. */
  readonly golden: TowersGolden;
}

/** The manifest of a bundle: `manifest.json`, which vouches for every file, itself included. */
export interface BundleManifest {
  readonly formatVersion: typeof bundleFormatVersion;
  readonly kind: typeof bundleKind;
  /** ISO 8601; the only instant in a bundle. */
  readonly createdAt: string;
  /** What wrote the bundle. */
  readonly versions: { readonly feedrank: string; readonly libtorch: string };
  readonly files: Readonly<Record<string, { readonly bytes: number; readonly sha256: string }>>;
  readonly ranker?: RankerManifest;
  readonly towers?: TowersManifest;
  /** Options of the training, as used. */
  readonly training: Readonly<Record<string, unknown>>;
  /** Fingerprint of the training data. */
  readonly data: Readonly<Record<string, unknown>>;
  readonly metrics: Readonly<Record<string, unknown>>;
  /** SHA-256 of every byte of the manifest before the line that holds it. */
  readonly checksum: string;
}
