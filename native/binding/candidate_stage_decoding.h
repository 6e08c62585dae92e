#pragma once

#include <vector>

#include "catalog/catalog.h"
#include "features/engagement.h"
#include "node_api.h"
#include "slate/plan.h"

namespace feedrank::binding {

std::vector<GeneratorStage> read_generators(const Napi::Array& array, const Engagement& engagement);

/// Names that filters ask for are interned, so that each has one code from now on.
std::vector<FilterStage> read_filters(const Napi::Array& array, Catalog& catalog);

}  // namespace feedrank::binding
