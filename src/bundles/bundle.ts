import path from 'node:path';
import { inspectArchive } from '../archives/inspect-archive';
import { sha256 } from '../archives/in-slices';
import { binding } from '../binding';
import { FeedrankError, guardAsync } from '../errors';
import { readPlainFile } from '../files/read-plain-file';
import { agreesWithGolden } from '../models/agrees-with-golden';
import { checkRuntime, Model, type ModelRuntime } from '../models/model';
import type { Precision } from '../models/precision';
import { Towers } from '../models/towers';
import type { TowersDescription } from '../models/towers-description';
import { differenceFromGolden } from '../models/towers-golden';
import { checkObject, checkPath } from '../validation';
import { corruptBundle, shortMessage } from './bundle-error';
import { checkTowerIds, fromLittleEndian, tensorSchemas, type TowerParts } from './bundle-parts';
import { checkFeatures, checkGolden, checkHeads } from './check-parts';
import { fileNamePattern, manifestName } from './manifest';
import type { BundleManifest, RankerManifest, TowersManifest } from './manifest';
import { readManifest } from './read-manifest';

const isFileName = new RegExp(fileNamePattern);

/** Options of {@link Bundle.open}. */
export interface BundleOpenOptions {
  /**
   * What the linear layers of the ranker multiply in. `bfloat16` needs a processor with instructions
   * for it (`PRECISION_UNAVAILABLE`); `int8` runs on each. Defaults to `float32`.
   */
  readonly precision?: Precision;
  /**
   * Where the ranker runs, as in `Model.load`; towers run on the CPU. Defaults to `cpu`;
   * `DEVICE_UNAVAILABLE` where there is no such device.
   */
  readonly device?: 'cpu' | 'cuda';
}

/**
 * What a training wrote: a ranker, or two towers with the vectors of their items, or both, in one
 * folder that vouches for itself. Opening one verifies every byte of it.
 */
export class Bundle {
  /** The folder. */
  readonly path: string;
  readonly manifest: BundleManifest;
  readonly #ranker: Model | undefined;
  readonly #towers: Towers | undefined;

  private constructor(
    folder: string,
    manifest: BundleManifest,
    ranker: Model | undefined,
    towers: Towers | undefined,
  ) {
    this.path = folder;
    this.manifest = manifest;
    this.#ranker = ranker;
    this.#towers = towers;
  }

  /**
   * Opens a bundle. Each of its files is read once; what was read is compared with the size and the
   * SHA-256 in the manifest, inspected, and loaded from those same bytes; and the model must answer
   * to the golden inputs as it did when it was exported, to |a − b| ≤ 1e-4 · max(1, |b|). In bfloat16
   * it must do so in float32 first, and then in bfloat16 to 0.05 · max(1, |b|); in int8 likewise, to
   * 0.1 · max(1, |b|).
   *
   * Rejects with `BUNDLE_NOT_FOUND`; with `BUNDLE_CORRUPT`, naming the file that is not what was
   * written; with `BUNDLE_VERSION` where the format, or the minor version of the LibTorch that wrote
   * it, is newer than what reads it; with `BUNDLE_GOLDEN` where the answers differ; and as
   * {@link Model.load}. Whatever was in service before is untouched.
   */
  static async open(folder: string, options: BundleOpenOptions = {}): Promise<Bundle> {
    checkPath(folder, 'path');
    checkObject(options, 'options');
    const runtime = checkRuntime(options);
    const manifest = await readManifest(folder);
    checkLibtorch(folder, manifest);
    const files = await readFiles(folder, manifest);
    const fileOf = (name: string) => {
      const bytes = files.get(name);
      if (bytes === undefined) throw wrongManifest(folder, `it does not list ${name}`);
      return bytes;
    };
    const { ranker, towers } = manifest;
    if (ranker === undefined && towers === undefined) {
      throw wrongManifest(folder, 'it has neither a ranker nor towers');
    }
    const model = ranker && (await loadRanker(folder, ranker, fileOf(ranker.file), runtime));
    try {
      const loaded = towers && (await loadTowers(folder, towers, fileOf));
      return new Bundle(folder, manifest, model, loaded);
    } catch (error) {
      model?.dispose();
      throw error;
    }
  }

  /** The ranking model; undefined where the bundle has none. */
  get ranker(): Model | undefined {
    return this.#ranker;
  }

  /**
   * Its item tower and user tower; undefined where the bundle has none. A feed that is made with the
   * bundle uses them if its catalog has their space.
   */
  get towers(): Towers | undefined {
    return this.#towers;
  }

  /** Lets go of the models. Feeds that were made with them keep them while they need them. */
  dispose(): void {
    this.#ranker?.dispose();
    this.#towers?.dispose();
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- The symbol's contract.
  async [Symbol.asyncDispose](): Promise<void> {
    this.dispose();
  }
}

function wrongManifest(folder: string, what: string): FeedrankError {
  return corruptBundle(folder, manifestName, what);
}

/** A LibTorch promises to read what an older one wrote, and not the other way round. */
function checkLibtorch(folder: string, { versions }: BundleManifest): void {
  const loaded = binding().libtorchVersion;
  const [[major, minor], [ourMajor, ourMinor]] = [versions.libtorch, loaded].map((version) =>
    version.split('.').map((part) => Number.parseInt(part, 10)),
  ) as [[number, number], [number, number]];
  if (!(major > ourMajor || (major === ourMajor && minor > ourMinor))) return;
  throw new FeedrankError(
    'BUNDLE_VERSION',
    `path: bundle '${folder.slice(0, 500)}' was written with LibTorch ${versions.libtorch.slice(0, 40)}, which is newer than the ${loaded} that is loaded`,
    'path',
  );
}

async function readFiles(
  folder: string,
  manifest: BundleManifest,
): Promise<ReadonlyMap<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for (const [name, expected] of Object.entries(manifest.files)) {
    if (!isFileName.test(name)) {
      throw wrongManifest(folder, `it lists the file ${JSON.stringify(name.slice(0, 100))}`);
    }
    let bytes: Buffer;
    try {
      bytes = await readPlainFile(path.join(folder, name), expected.bytes);
    } catch (error) {
      throw corruptBundle(folder, name, shortMessage(error), error);
    }
    if (bytes.length !== expected.bytes) {
      throw corruptBundle(
        folder,
        name,
        `it has ${bytes.length} bytes instead of ${expected.bytes}`,
      );
    }
    if ((await sha256(bytes)) !== expected.sha256) {
      throw corruptBundle(folder, name, 'its SHA-256 differs');
    }
    files.set(name, bytes);
  }
  return files;
}

async function loadRanker(
  folder: string,
  manifest: RankerManifest,
  bytes: Buffer,
  runtime: ModelRuntime,
): Promise<Model> {
  const { features, heads, golden } = manifest;
  const schemas = tensorSchemas(features.length, heads.length);
  try {
    checkFeatures(features, 'ranker.features');
    checkHeads(heads, 'ranker.heads');
    checkGolden(golden, features.length, heads.length, 'ranker.golden');
  } catch (error) {
    throw corruptBundle(folder, manifestName, shortMessage(error), error);
  }
  for (const side of ['input', 'output'] as const) {
    if (JSON.stringify(manifest[side].shape) !== JSON.stringify(schemas[side].shape)) {
      throw wrongManifest(folder, `ranker.${side} does not fit its features and heads`);
    }
  }
  if (runtime.precision !== 'float32') {
    // What tells a file that was changed from one that rounds is what float32 answers.
    const exact: ModelRuntime = { ...runtime, precision: 'float32' };
    (await loadChecked(folder, manifest, bytes, exact)).dispose();
  }
  return loadChecked(folder, manifest, bytes, runtime);
}

async function loadChecked(
  folder: string,
  manifest: RankerManifest,
  bytes: Buffer,
  runtime: ModelRuntime,
): Promise<Model> {
  const { file, features, heads } = manifest;
  const description = { features, heads };
  const model = await Model.fromBytes(bytes, path.join(folder, file), description, runtime);
  try {
    await checkAnswers(folder, model, manifest);
  } catch (error) {
    model.dispose();
    throw error;
  }
  return model;
}

async function checkAnswers(
  folder: string,
  model: Model,
  { file, heads, golden }: RankerManifest,
): Promise<void> {
  const features = Float32Array.from(golden.inputs.flat());
  const scores = await guardAsync(() => model.native.score({ features, aside: true }));
  const how = model.precision === 'float32' ? '' : ` in ${model.precision}`;
  golden.outputs.flat().forEach((expected, i) => {
    const got = scores[i]!;
    if (agreesWithGolden(got, expected, model.precision)) return;
    const head = heads[i % heads.length]!.name;
    throw new FeedrankError(
      'BUNDLE_GOLDEN',
      `path: ${file} of bundle '${folder.slice(0, 500)}' does not answer${how} as it did when it was exported: ` +
        `golden row ${Math.floor(i / heads.length)}, head ${head}: expected ${expected}, got ${got}`,
      'path',
    );
  });
}

async function loadTowers(
  folder: string,
  manifest: TowersManifest,
  fileOf: (name: string) => Buffer,
): Promise<Towers> {
  const parts = await readTowers(folder, manifest, fileOf);
  // What a manifest vouches for has been verified and inspected by now.
  const towers = await Towers.load(
    { ...parts, description: parts.description as TowersDescription },
    { allowUnverified: true },
  );
  let difference: string | undefined;
  try {
    difference = await differenceFromGolden(towers, manifest.golden);
    if (difference === undefined) return towers;
  } catch (error) {
    towers.dispose();
    throw corruptBundle(folder, manifestName, shortMessage(error), error);
  }
  towers.dispose();
  throw new FeedrankError(
    'BUNDLE_GOLDEN',
    `path: the towers of bundle '${folder.slice(0, 500)}' do not answer to ${difference} as they did when they were exported`,
    'path',
  );
}

async function readTowers(
  folder: string,
  manifest: TowersManifest,
  fileOf: (name: string) => Buffer,
): Promise<TowerParts> {
  const [userTower, itemTower] = [fileOf(manifest.userTower), fileOf(manifest.itemTower)];
  for (const [file, bytes] of [
    [manifest.userTower, userTower],
    [manifest.itemTower, itemTower],
  ] as const) {
    await inspectArchive(bytes, { argument: 'path', file: path.join(folder, file) });
  }
  const { space, description, golden } = manifest;
  const vectors = fileOf(manifest.itemVectors);
  let ids: TowerParts['items']['ids'];
  try {
    const parsed: unknown = JSON.parse(fileOf(manifest.itemIds).toString('utf8'));
    ids = checkTowerIds(parsed, manifest.ids, 'ids');
  } catch (error) {
    throw corruptBundle(folder, manifest.itemIds, shortMessage(error), error);
  }
  if (ids.length !== manifest.items) {
    throw wrongManifest(folder, `towers.items is ${manifest.items} where there are ${ids.length}`);
  }
  if (vectors.length !== ids.length * space.dimensions * Float32Array.BYTES_PER_ELEMENT) {
    throw corruptBundle(folder, manifest.itemVectors, 'it does not hold one vector an item');
  }
  const values = fromLittleEndian(vectors);
  if (!values.every(Number.isFinite)) {
    throw corruptBundle(folder, manifest.itemVectors, 'it holds numbers that are not finite');
  }
  const items = { ids, kind: manifest.ids, vectors: values };
  return { userTower, itemTower, space, description, items, golden };
}
