import { inspectArchive } from '../archives/inspect-archive';
import { readArchive } from '../archives/read-archive';
import { binding, type NativeModel, type NativeModelOptions } from '../binding';
import { FeedrankError, guard, guardAsync, invalidArgument } from '../errors';
import { readPlainFile } from '../files/read-plain-file';
import { checkDevice, checkObject, checkPath, copyVector, ownValue } from '../validation';
import {
  readModelDescription,
  toModelDescription,
  type ModelDescription,
} from './model-description';
import { checkPrecision, type Precision } from './precision';

/** Options of {@link Model.load}. */
export interface ModelLoadOptions {
  /**
   * A TorchScript file is code. A bare file, which nothing vouches for, is loaded only with
   * `true`: give it only for files that you made or checked. Defaults to `false`.
   */
  readonly allowUnverified?: boolean;
  /**
   * A `.pt2` package (AOTInductor) is native code that nothing can inspect: with `true`, and
   * `allowUnverified`, its author is given this process. Defaults to `false`.
   */
  readonly allowNativeCode?: boolean;
  /** Instead of the `model.json` beside the file. */
  readonly description?: unknown;
  /**
   * What the linear layers multiply in. `bfloat16` needs a processor with instructions for it
   * (`PRECISION_UNAVAILABLE`); `int8` runs on each. Neither is for `.pt2` packages, whose precision
   * is their own. Defaults to `float32`.
   */
  readonly precision?: Precision;
  /**
   * Where it runs: `cuda` is the first CUDA device that LibTorch finds (`DEVICE_UNAVAILABLE` where it
   * finds none), in `float32` or `bfloat16` (`PRECISION_UNAVAILABLE` for `int8`). Not for `.pt2`
   * packages, which are compiled for the CPU. Defaults to `cpu`.
   */
  readonly device?: 'cpu' | 'cuda';
}

/** In what, and where, a model runs. @internal */
export interface ModelRuntime {
  readonly precision: Precision;
  readonly device: 'cpu' | 'cuda';
}

/**
 * A ranking model: `forward(features: float32 [n, f])` gives `[n]`, `[n, heads]` or a dictionary of
 * `[n]`. Shared by all requests; each native thread runs its own clone.
 */
export class Model {
  readonly path: string;
  readonly description: ModelDescription;
  /** Names of the heads, in order. */
  readonly heads: readonly string[];
  /** Of a package, what its scores are in. */
  readonly precision: Precision;
  #native: NativeModel | undefined;

  private constructor(
    path: string,
    description: ModelDescription,
    precision: Precision,
    native: NativeModel,
  ) {
    this.path = path;
    this.description = description;
    this.heads = native.heads;
    this.precision = precision;
    this.#native = native;
  }

  /**
   * Loads a TorchScript file with its description, freezes it, gives its linear layers to oneDNN and
   * warms it up. The file is read once and inspected before LibTorch sees it. A `.pt2` package is
   * loaded as it is; docs/fast-rankers.md says what it must be.
   *
   * Rejects with `MODEL_UNVERIFIED`, `MODEL_NOT_FOUND`, `MODEL_DESCRIPTION`, `MODEL_CORRUPT`,
   * `MODEL_REFUSED` (it holds code or entries that no ranking model needs, or a package is for
   * something else), `MODEL_SHAPE` (it does not take the features that its description lists, or
   * answers in another shape), `MODEL_OUTPUT` (it answers NaN or infinity to plain input, or a row's
   * scores depend on other rows), `PRECISION_UNAVAILABLE` or `DEVICE_UNAVAILABLE`.
   */
  static async load(path: string, options: ModelLoadOptions = {}): Promise<Model> {
    checkPath(path, 'path');
    checkObject(options, 'options');
    const runtime = checkRuntime(options);
    if (options.allowUnverified !== true) {
      throw new FeedrankError(
        'MODEL_UNVERIFIED',
        `path: '${path}' is a bare model file, and loading one runs code that it holds; if you trust it, pass allowUnverified: true`,
        'path',
      );
    }
    const compiled = path.endsWith('.pt2');
    if (compiled) checkNativeCode(path, options);
    const description =
      options.description === undefined
        ? await readModelDescription(path)
        : toModelDescription(options.description, 'description');
    const bytes = await readModel(path);
    return compiled
      ? Model.#fromPackage(bytes, path, description)
      : Model.fromBytes(bytes, path, description, runtime);
  }

  /**
   * Inspects and loads a TorchScript file that has been read already. Rejects as {@link Model.load}.
   * @internal
   */
  static async fromBytes(
    bytes: Buffer,
    path: string,
    description: ModelDescription,
    runtime: ModelRuntime = checkRuntime({}),
  ): Promise<Model> {
    await inspectArchive(bytes, { argument: 'path', file: path });
    return Model.#fromChecked({ bytes, ...runtime, compiled: false }, path, description);
  }

  static async #fromPackage(
    bytes: Buffer,
    path: string,
    description: ModelDescription,
  ): Promise<Model> {
    // What it does cannot be checked, and that it is whole can.
    await readArchive(bytes, { argument: 'path', file: path });
    return Model.#fromChecked({ bytes, ...checkRuntime({}), compiled: true }, path, description);
  }

  static async #fromChecked(
    checked: Pick<NativeModelOptions, 'bytes' | 'precision' | 'compiled' | 'device'>,
    path: string,
    description: ModelDescription,
  ): Promise<Model> {
    const native = await guardAsync(() =>
      binding().loadModel({
        ...checked,
        name: path,
        features: description.features.length,
        heads: description.heads?.map((head) => head.name) ?? [],
      }),
    );
    return new Model(path, description, checked.precision, native);
  }

  /**
   * Scores feature rows outside any feed: n × f values in, n × heads out, both row-major.
   * Rejects with `DIMENSION_MISMATCH`, `INVALID_ARGUMENT`, or `MODEL_OUTPUT` where a score is not
   * finite.
   */
  async score(features: ArrayLike<number>): Promise<Float32Array> {
    const copy = copyVector(features, 'features');
    return guardAsync(() => this.native.score({ features: copy }));
  }

  /** Weight of each head in the score, in the order of `heads`. @internal */
  headWeights(overrides: Readonly<Record<string, number>>): Float64Array {
    const own = new Map(this.description.heads?.map((head) => [head.name, head.weight]));
    for (const name of Object.keys(overrides)) {
      if (!this.heads.includes(name)) {
        throw invalidArgument(
          `profile.headWeights.${name}`,
          `one of the model's heads (${this.heads.join(', ')})`,
          name,
        );
      }
    }
    return Float64Array.from(this.heads, (name) => ownValue(overrides, name) ?? own.get(name) ?? 1);
  }

  /** Lets go of the model. Feeds that were made with it keep it while they need it. */
  dispose(): void {
    this.#native?.release();
    this.#native = undefined;
  }

  /** The same model on a handle of its own. Throws `DISPOSED`. @internal */
  share(): Model {
    const shared = guard(() => this.native.share());
    return new Model(this.path, this.description, this.precision, shared);
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- The symbol's contract.
  async [Symbol.asyncDispose](): Promise<void> {
    this.dispose();
  }

  /** @internal */
  get native(): NativeModel {
    if (this.#native === undefined) {
      throw new FeedrankError('DISPOSED', 'model: it has been disposed of', 'model');
    }
    return this.#native;
  }
}

/** Throws `INVALID_ARGUMENT`. @internal */
export function checkRuntime({
  precision = 'float32',
  device = 'cpu',
}: Pick<ModelLoadOptions, 'precision' | 'device'>): ModelRuntime {
  checkPrecision(precision);
  return { precision, device: checkDevice(device) };
}

function checkNativeCode(
  path: string,
  {
    allowNativeCode,
    precision,
    device = 'cpu',
  }: Pick<ModelLoadOptions, 'allowNativeCode' | 'precision' | 'device'>,
): void {
  if (allowNativeCode !== true) {
    throw new FeedrankError(
      'MODEL_UNVERIFIED',
      `path: '${path.slice(0, 500)}' is a package of native code, which nothing can inspect; if you trust it with this process, pass allowNativeCode: true`,
      'path',
    );
  }
  if (precision !== undefined) {
    throw invalidArgument('precision', 'none, since a package has its own', precision);
  }
  if (device !== 'cpu') {
    throw invalidArgument('device', "'cpu', which packages are compiled for", device);
  }
}

const mostBytes = 2 ** 31 - 1;

async function readModel(path: string): Promise<Buffer> {
  try {
    return await readPlainFile(path, mostBytes);
  } catch (error) {
    throw new FeedrankError(
      'MODEL_NOT_FOUND',
      `path: cannot read model file '${path.slice(0, 500)}': ${(error as Error).message.slice(0, 500)}`,
      'path',
      { cause: error },
    );
  }
}
