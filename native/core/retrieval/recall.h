#pragma once

#include <cstdint>
#include <span>

#include "retrieval/retriever.h"

namespace feedrank {

/// How approximate retrieval compares with the exact one.
struct Recall {
  double found = 1;     // share of the exact answers' items that are in the approximate ones
  double exact_ms = 0;  // medians of one query by itself, on one thread
  double approximate_ms = 0;
  double listed = 0;  // share of the space's items that lie in inverted lists
};

/// Answers each query by both on one state of the catalog, by turns. Queries must name an effort.
Recall measure_recall(const Snapshot& snapshot, uint32_t space,
                      std::span<const RetrievalQuery> queries);

}  // namespace feedrank
