import { binding } from '../binding';
import { guardAsync, invalidArgument } from '../errors';
import { checkInteger, checkObject, checkPath, copyVector } from '../validation';

/** A fully connected network: (x − mean) · scale, then linear layers with ReLU between them. */
export interface ScriptedNetwork {
  /** One a feature. */
  readonly mean: ArrayLike<number>;
  /** One a feature. */
  readonly scale: ArrayLike<number>;
  readonly layers: readonly {
    readonly inputs: number;
    readonly outputs: number;
    /** outputs × inputs, row-major. */
    readonly weights: ArrayLike<number>;
    /** One an output. */
    readonly bias: ArrayLike<number>;
  }[];
}

/**
 * Builds a TorchScript module in the native core and writes it to a file. The last layer's outputs
 * are the model's heads. Rejects with `INVALID_ARGUMENT` or `FILE_NOT_WRITTEN`.
 */
export async function saveScriptedNetwork(network: ScriptedNetwork, path: string): Promise<void> {
  checkPath(path, 'path');
  checkObject(network, 'network');
  if (!Array.isArray(network.layers)) {
    throw invalidArgument('network.layers', 'an array of layers', network.layers);
  }
  const native = {
    mean: copyVector(network.mean, 'network.mean'),
    scale: copyVector(network.scale, 'network.scale'),
    layers: network.layers.map((value: unknown, i) => {
      const where = `network.layers[${i}]`;
      const layer = checkObject(value, where);
      return {
        inputs: checkInteger(layer['inputs'], `${where}.inputs`, 1, 65_536),
        outputs: checkInteger(layer['outputs'], `${where}.outputs`, 1, 65_536),
        weights: copyVector(layer['weights'], `${where}.weights`),
        bias: copyVector(layer['bias'], `${where}.bias`),
      };
    }),
  };
  await guardAsync(() => binding().saveScriptedNetwork(native, path));
}
