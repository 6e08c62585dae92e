/**
 * JSON schemas of what files and requests hold. Apart from the package's main entry, because the
 * library that they are written with takes 5 MB in every thread that loads it.
 * @packageDocumentation
 */
export { bundleManifestSchema } from './bundles/manifest-schema';
export { modelDescriptionSchema } from './models/model-description-schema';
export { rankProfileSchema } from './profile/rank-profile';
