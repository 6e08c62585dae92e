#pragma once

#include "arguments.h"
#include "catalog/schema.h"
#include "slate/external_result.h"
#include "slate/plan.h"
#include "slate/query.h"

namespace feedrank::binding {

/// What decay does to negative dot products, by its name in the facade.
NegativeDots read_negatives(const std::string& text);

/// Of approximate retrieval; none where it is to be exact.
std::optional<double> read_effort(const ObjectReader& reader);

Query read_query(const ObjectReader& reader, const CatalogSchema& schema, uint32_t context_values,
                 uint32_t segment_values);

/// `labels` is how many labels the catalog has.
Settings read_settings(const ObjectReader& reader, const Plan& plan, size_t labels);

/// What an external stage answered; checked against the number of candidates that it was given.
ExternalResult read_external_result(const Napi::Value& value, const Plan& plan, size_t candidates);

}  // namespace feedrank::binding
