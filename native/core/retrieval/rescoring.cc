#include "retrieval/rescoring.h"

#include <algorithm>

namespace feedrank {

std::vector<Retrieved> rescored(const Snapshot& snapshot, uint32_t space,
                                const RetrievalQuery& query, std::span<const Row> shortlist) {
  std::vector<Retrieved> items;
  items.reserve(shortlist.size());
  for (const Row row : shortlist) {
    const Chunk& chunk = snapshot.chunk_of(row);
    const uint32_t offset = Snapshot::offset_of(row);
    const double dot = dot_product(query.vector.data(), chunk.vector(space, offset),
                                   static_cast<uint32_t>(query.vector.size()));
    if (query.negatives == NegativeDots::kDrop && dot < 0) continue;
    const double weight = decay_weight(chunk.publish_time[offset], query.now, query.tau_ms);
    items.push_back({row, decayed(dot, weight, query.negatives)});
  }
  const auto better = [&snapshot](const Retrieved& a, const Retrieved& b) {
    return a.score != b.score ? a.score > b.score : snapshot.before_on_tie(a.row, b.row);
  };
  const size_t k = std::min<size_t>(query.k, items.size());
  std::partial_sort(items.begin(), items.begin() + static_cast<ptrdiff_t>(k), items.end(), better);
  items.resize(k);
  return items;
}

}  // namespace feedrank
