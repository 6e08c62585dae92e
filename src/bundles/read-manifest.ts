import path from 'node:path';
import { describeValue, FeedrankError } from '../errors';
import { readPlainFile } from '../files/read-plain-file';
import { firstSchemaError } from '../schema-error';
import { corruptBundle, shortMessage } from './bundle-error';
import { bundleFormatVersion, manifestName, type BundleManifest } from './manifest';
import type * as ManifestSchema from './manifest-schema';
import { isSealed } from './seal-manifest';

/** Golden vectors and options take kilobytes. */
const mostManifestBytes = 2 ** 25;

/**
 * Reads and checks the manifest of a bundle: its checksum before a word of it is believed, then its
 * format's version, then all of its fields. Rejects with `BUNDLE_NOT_FOUND`, `BUNDLE_CORRUPT` or
 * `BUNDLE_VERSION`.
 * @internal
 */
export async function readManifest(folder: string): Promise<BundleManifest> {
  let bytes: Buffer;
  try {
    bytes = await readPlainFile(path.join(folder, manifestName), mostManifestBytes);
  } catch (error) {
    throw new FeedrankError(
      'BUNDLE_NOT_FOUND',
      `path: expected a bundle at '${folder.slice(0, 500)}', a folder with a ${manifestName}: ${shortMessage(error)}`,
      'path',
      { cause: error },
    );
  }
  if (!isSealed(bytes)) {
    throw corruptBundle(folder, manifestName, 'its checksum does not match');
  }
  let manifest: unknown;
  try {
    manifest = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw corruptBundle(folder, manifestName, shortMessage(error), error);
  }
  checkVersion(folder, manifest);
  const wrong = firstSchemaError(manifestSchema(), manifest);
  if (wrong !== undefined) {
    const field = wrong.path.slice(1).replaceAll('/', '.').slice(0, 200);
    const what = `${field}: ${wrong.message}, got ${describeValue(wrong.value)}`;
    throw corruptBundle(folder, manifestName, what);
  }
  return manifest as BundleManifest;
}

function checkVersion(folder: string, manifest: unknown): void {
  const version = (manifest as { formatVersion?: unknown } | null)?.formatVersion;
  if (typeof version !== 'number' || version <= bundleFormatVersion) return;
  throw new FeedrankError(
    'BUNDLE_VERSION',
    `path: bundle '${folder.slice(0, 500)}' has format version ${version}; this version of feedrank reads up to ${bundleFormatVersion}`,
    'path',
  );
}

function manifestSchema(): typeof ManifestSchema.bundleManifestSchema {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- As firstSchemaError says.
  const loaded = require('./manifest-schema') as typeof ManifestSchema;
  return loaded.bundleManifestSchema;
}
