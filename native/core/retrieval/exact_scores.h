#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "retrieval/retriever.h"
#include "retrieval/score_collector.h"

namespace feedrank {

/// Leaves the k first by `before`, in order.
template <typename Before>
void keep_best(std::vector<Retrieved>& items, size_t k, const Before& before) {
  if (items.size() > k) {
    std::nth_element(items.begin(), items.begin() + static_cast<ptrdiff_t>(k), items.end(), before);
    items.resize(k);
  }
  std::sort(items.begin(), items.end(), before);
}

/// Scores what may be among a query's k best in double precision from the float32 vectors, and
/// gives the k best, best first, ties newer first and then by id. Reorders the candidates. Idle
/// threads of `helpers` take part where there are many.
std::vector<Retrieved> best_by_exact_score(const Snapshot& snapshot, uint32_t space,
                                           const RetrievalQuery& query,
                                           std::vector<BoundedScore>& candidates,
                                           Executor* helpers = nullptr);

}  // namespace feedrank
