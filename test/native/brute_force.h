#ifndef FEEDRANK_TEST_NATIVE_BRUTE_FORCE_H_
#define FEEDRANK_TEST_NATIVE_BRUTE_FORCE_H_

// The definition of decayed retrieval, written down once more and as plainly as possible: what the
// real retriever is compared with, and what stands in for it where LibTorch is not wanted.

#include <algorithm>
#include <cmath>
#include <vector>

#include "catalog/catalog.h"
#include "retrieval/retriever.h"

namespace feedrank::testing {

class BruteForceRetriever final : public Retriever {
 public:
  std::vector<std::vector<Retrieved>> retrieve(const Snapshot& snapshot, uint32_t space,
                                               std::span<const RetrievalQuery> queries,
                                               Executor* /*helpers*/ = nullptr) const override {
    std::vector<std::vector<Retrieved>> results;
    for (const RetrievalQuery& query : queries) results.push_back(one(snapshot, space, query));
    return results;
  }

 private:
  static std::vector<Retrieved> one(const Snapshot& snapshot, uint32_t space,
                                    const RetrievalQuery& query) {
    std::vector<Retrieved> items;
    snapshot.for_each_visible([&](Row row) {
      const Chunk& chunk = snapshot.chunk_of(row);
      const uint32_t offset = Snapshot::offset_of(row);
      if (!chunk.has_vector(space, offset)) return;
      double dot = 0;
      for (size_t d = 0; d < query.vector.size(); ++d) {
        dot += static_cast<double>(query.vector[d]) *
               static_cast<double>(chunk.vector(space, offset)[d]);
      }
      if (dot < 0 && query.negatives == NegativeDots::kDrop) return;
      const int64_t published = snapshot.publish_time(row);
      const double age = published > query.now ? 0 : static_cast<double>(query.now - published);
      const bool decays = dot >= 0 || query.negatives != NegativeDots::kKeep;
      items.push_back({row, decays ? dot * std::exp(-age / query.tau_ms) : dot});
    });
    std::sort(items.begin(), items.end(), [&](const Retrieved& a, const Retrieved& b) {
      if (a.score != b.score) return a.score > b.score;
      if (snapshot.publish_time(a.row) != snapshot.publish_time(b.row)) {
        return snapshot.publish_time(a.row) > snapshot.publish_time(b.row);
      }
      return snapshot.id(a.row) < snapshot.id(b.row);
    });
    if (items.size() > query.k) items.resize(query.k);
    return items;
  }
};

}  // namespace feedrank::testing

#endif  // FEEDRANK_TEST_NATIVE_BRUTE_FORCE_H_
