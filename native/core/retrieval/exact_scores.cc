#include "retrieval/exact_scores.h"

#include <array>

#include "retrieval/dot_products.h"
#include "runtime/parallel.h"
#include "runtime/prefetch.h"

namespace feedrank {
namespace {

/// How far ahead vectors are fetched: they lie scattered over the catalog.
constexpr size_t kAhead = 16;

void fetch(const Snapshot& snapshot, uint32_t space, Row row, size_t dimensions) {
  const Chunk& chunk = snapshot.chunk_of(row);
  const uint32_t offset = Snapshot::offset_of(row);
  prefetch(chunk.vector(space, offset), dimensions * sizeof(float));
  prefetch(&chunk.publish_time[offset]);
}

/// Scores each candidate into its item; what a negative product drops keeps no row.
void score_exactly(const Snapshot& snapshot, uint32_t space, const RetrievalQuery& query,
                   std::span<const double> user, std::span<const BoundedScore> candidates,
                   std::span<Retrieved> items) {
  const auto vector_of = [&](size_t candidate) {
    const Row row = candidates[candidate].row;
    return snapshot.chunk_of(row).vector(space, Snapshot::offset_of(row));
  };
  const auto fetch_candidate = [&](size_t candidate) {
    if (candidate < candidates.size()) {
      fetch(snapshot, space, candidates[candidate].row, user.size());
    }
  };
  for (size_t c = 0; c < kAhead; ++c) fetch_candidate(c);
  for (size_t begin = 0; begin < candidates.size(); begin += kDotsTogether) {
    const size_t count = std::min(kDotsTogether, candidates.size() - begin);
    std::array<const float*, kDotsTogether> vectors;
    for (size_t v = 0; v < kDotsTogether; ++v) {
      vectors[v] = vector_of(begin + std::min(v, count - 1));
      fetch_candidate(begin + v + kAhead);
    }
    std::array<double, kDotsTogether> dots;
    dot_products(user, vectors, dots);
    for (size_t v = 0; v < count; ++v) {
      if (query.negatives == NegativeDots::kDrop && dots[v] < 0) continue;
      const Row row = candidates[begin + v].row;
      const double weight = decay_weight(snapshot.publish_time(row), query.now, query.tau_ms);
      items[begin + v] = {row, decayed(dots[v], weight, query.negatives)};
    }
  }
}

}  // namespace

std::vector<Retrieved> best_by_exact_score(const Snapshot& snapshot, uint32_t space,
                                           const RetrievalQuery& query,
                                           std::vector<BoundedScore>& candidates,
                                           Executor* helpers) {
  if (candidates.size() > query.k) {
    const auto kth = candidates.begin() + (query.k - 1);
    std::nth_element(candidates.begin(), kth, candidates.end(), higher_low);
    const double least = kth->low;
    std::erase_if(candidates, [least](const BoundedScore& item) { return item.high < least; });
  }
  const std::vector<double> user(query.vector.begin(), query.vector.end());
  std::vector<Retrieved> items(candidates.size(), {kNoRow, 0});
  // Fewer are not worth waking a thread for.
  constexpr size_t kLeast = 512;
  split_in_parallel(helpers, items.size(), kLeast, [&](size_t begin, size_t count) {
    score_exactly(snapshot, space, query, user, std::span(candidates).subspan(begin, count),
                  std::span(items).subspan(begin, count));
  });
  if (query.negatives == NegativeDots::kDrop) {
    std::erase_if(items, [](const Retrieved& item) { return item.row == kNoRow; });
  }
  keep_best(items, query.k, [&snapshot](const Retrieved& a, const Retrieved& b) {
    return a.score != b.score ? a.score > b.score : snapshot.before_on_tie(a.row, b.row);
  });
  return items;
}

}  // namespace feedrank
