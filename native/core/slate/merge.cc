#include "slate/merge.h"

#include <algorithm>
#include <unordered_map>

namespace feedrank {

void merge_by_turns(std::span<const std::vector<Retrieved>> generated,
                    std::span<const uint32_t> quotas, uint32_t most, CandidateSet& candidates) {
  const size_t generators = generated.size();
  if (generators == 1) {
    // One list holds no item twice.
    const size_t count = std::min<size_t>(generated[0].size(), most);
    for (size_t i = 0; i < count; ++i) {
      candidates.append(generated[0][i].row);
      candidates.set_source(i, 0, generated[0][i].score, i);
    }
    return;
  }
  std::vector<size_t> rank(generators, 0);
  std::unordered_map<Row, uint32_t> position;
  for (;;) {
    size_t turn = generators;
    for (size_t g = 0; g < generators; ++g) {
      if (rank[g] == generated[g].size()) continue;
      // (r + ½) / quota, in whole numbers, so that equal turns are equal.
      if (turn == generators ||
          (2 * rank[g] + 1) * uint64_t{quotas[turn]} < (2 * rank[turn] + 1) * uint64_t{quotas[g]}) {
        turn = g;
      }
    }
    if (turn == generators) return;
    const Retrieved& item = generated[turn][rank[turn]];
    auto found = position.find(item.row);
    if (found == position.end() && candidates.size() < most) {
      found = position.emplace(item.row, static_cast<uint32_t>(candidates.size())).first;
      candidates.append(item.row);
    }
    if (found != position.end()) {
      candidates.set_source(found->second, static_cast<uint32_t>(turn), item.score, rank[turn]);
    }
    ++rank[turn];
  }
}

}  // namespace feedrank
