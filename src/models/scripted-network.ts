import { binding } from '../binding';
import { guardAsync } from '../catalog/catalog';
import { invalidArgument } from '../errors';
import { checkInteger, checkObject, copyVector } from '../validation';

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
  if (typeof path !== 'string' || path.length === 0) {
    throw invalidArgument('path', 'the path of a file to write', path);
  }
  checkObject(network, 'network');
  if (!Array.isArray(network.layers)) {
    throw invalidArgument('network.layers', 'an array of layers', network.layers);
  }
  const native = {
    mean: copyVector(network.mean, 'network.mean'),
    scale: copyVector(network.scale, 'network.scale'),
    layers: network.layers.map((layer, i) => ({
      inputs: checkInteger(layer.inputs, `network.layers[${i}].inputs`, 1, 65_536),
      outputs: checkInteger(layer.outputs, `network.layers[${i}].outputs`, 1, 65_536),
      weights: copyVector(layer.weights, `network.layers[${i}].weights`),
      bias: copyVector(layer.bias, `network.layers[${i}].bias`),
    })),
  };
  await guardAsync(() => binding().saveScriptedNetwork(native, path));
}
