#include "slate/selector.h"

#include <algorithm>
#include <numeric>
#include <unordered_map>

#include "catalog/string_table.h"

namespace feedrank {

std::vector<uint32_t> order_by_score(const Snapshot& snapshot, const CandidateSet& candidates) {
  std::vector<uint32_t> order(candidates.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return candidates.scores[a] != candidates.scores[b]
               ? candidates.scores[a] > candidates.scores[b]
               : snapshot.before_on_tie(candidates.rows[a], candidates.rows[b]);
  });
  return order;
}

std::vector<uint32_t> take_with_caps(const Snapshot& snapshot, const CandidateSet& candidates,
                                     std::span<const uint32_t> order, const Caps& caps) {
  std::vector<uint32_t> taken;
  std::unordered_map<uint32_t, uint32_t> of_author;
  std::unordered_map<uint32_t, uint32_t> of_topic;
  for (const uint32_t position : order) {
    if (taken.size() >= caps.limit) break;
    const Chunk& chunk = snapshot.chunk_of(candidates.rows[position]);
    const uint32_t offset = Snapshot::offset_of(candidates.rows[position]);
    const uint32_t author = chunk.author[offset];
    const std::vector<uint32_t>& topics = chunk.topics[offset];
    if (caps.per_author > 0 && author != StringTable::kNone &&
        of_author[author] >= caps.per_author) {
      continue;
    }
    if (caps.per_topic > 0 && std::any_of(topics.begin(), topics.end(), [&](uint32_t topic) {
          return of_topic[topic] >= caps.per_topic;
        })) {
      continue;
    }
    taken.push_back(position);
    if (caps.per_author > 0) ++of_author[author];
    if (caps.per_topic > 0) {
      for (const uint32_t topic : topics) ++of_topic[topic];
    }
  }
  return taken;
}

}  // namespace feedrank
