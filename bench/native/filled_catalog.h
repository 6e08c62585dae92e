#ifndef FEEDRANK_BENCH_NATIVE_FILLED_CATALOG_H_
#define FEEDRANK_BENCH_NATIVE_FILLED_CATALOG_H_

#include <memory>

#include "catalog/catalog.h"
#include "data_set.h"

namespace feedrank::bench {

/// A catalog of a set's items, written in the set's order, which is no order of ages.
std::shared_ptr<Catalog> filled_catalog(const DataSet& set, bool approximate = false);

}  // namespace feedrank::bench

#endif  // FEEDRANK_BENCH_NATIVE_FILLED_CATALOG_H_
