#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "features/counter_store.h"
#include "features/feature_assembler.h"
#include "retrieval/retriever.h"
#include "slate/query.h"

namespace feedrank {

/// What one request wants of decayed_dot_items.
struct DecayedDotNeed {
  std::span<const UserVectors> users;
  int64_t now = 0;
  double tau_ms = 0;
  NegativeDots negatives = NegativeDots::kDecay;
  uint32_t k = 0;
  std::optional<double> effort{};  // as in RetrievalQuery
};

/// decayed_dot_items for several requests in one pass over the catalog, with the same answers.
std::vector<std::vector<Retrieved>> decayed_dot_items(const Snapshot& snapshot,
                                                      const Retriever& retriever, uint32_t space,
                                                      std::span<const DecayedDotNeed> needs,
                                                      Executor* helpers);

/// The `k` best items for a reader by dot(user, item) · exp(−age / τ), the best of several user
/// vectors. Empty where the query brings no vector for the space. `helpers` as for
/// Retriever::retrieve.
std::vector<Retrieved> decayed_dot_items(const Snapshot& snapshot, const Retriever& retriever,
                                         uint32_t space, std::span<const UserVectors> users,
                                         int64_t now, double tau_ms, NegativeDots negatives,
                                         uint32_t k, Executor* helpers);

/// The `k` items with the highest decayed counter; items whose counter is 0 are left out.
std::vector<Retrieved> trending_items(const Snapshot& snapshot, const CounterStore& counters,
                                      Lane lane, uint32_t half_life, int64_t now, uint32_t k);

/// The `k` newest items; the score is the negative age in hours.
std::vector<Retrieved> fresh_items(const Snapshot& snapshot, int64_t now, uint32_t k);

/// The `k` newest items by one of the authors or of one of the topics; scores as fresh_items.
std::vector<Retrieved> followed_items(const Snapshot& snapshot, const AuthorsAndTopics& follows,
                                      int64_t now, uint32_t k);

}  // namespace feedrank
