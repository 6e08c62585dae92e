#pragma once

#include <vector>

#include "arguments.h"
#include "catalog/schema.h"
#include "features/feature_assembler.h"
#include "node_api.h"

namespace feedrank::binding {

/// `{ features: [{ source, transformation, reference, counter, index, second, missing }], smoothing
/// }`.
FeatureList read_feature_list(const ObjectReader& reader, const CatalogSchema& schema,
                              const Engagement::Options& options, uint32_t context_values);

/// `[{ space: index, values: Float32Array }]`.
std::vector<UserVectors> read_user_vectors(const Napi::Array& array, const CatalogSchema& schema);

}  // namespace feedrank::binding
