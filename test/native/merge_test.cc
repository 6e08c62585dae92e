#include "slate/merge.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "check.h"
#include "support.h"

namespace {

using namespace feedrank;
using namespace feedrank::testing;
using Lists = std::vector<std::vector<Retrieved>>;

CandidateSet merged(const Lists& lists, const std::vector<uint32_t>& quotas, uint32_t most) {
  CandidateSet candidates;
  candidates.generators = static_cast<uint32_t>(lists.size());
  merge_by_turns(lists, quotas, most, candidates);
  return candidates;
}

std::string rows_of(const CandidateSet& candidates) {
  return text({candidates.rows.begin(), candidates.rows.end()});
}

Lists lists_of(std::vector<std::vector<Row>> rows) {
  Lists lists;
  for (const auto& list : rows) {
    auto& added = lists.emplace_back();
    for (const Row row : list) added.push_back({row, 100.0 - row});
  }
  return lists;
}

Lists random_lists(Random& random, size_t generators) {
  Lists lists(generators);
  for (auto& list : lists) {
    std::vector<Row> rows(40);
    for (Row row = 0; row < 40; ++row) rows[row] = row;
    std::shuffle(rows.begin(), rows.end(), random.engine());
    rows.resize(static_cast<size_t>(random.below(40)));
    for (const Row row : rows) list.push_back({row, random.between(0, 1)});
  }
  return lists;
}

}  // namespace

TEST_CASE("twice the quota is twice the turns") {
  const Lists lists = lists_of({{1, 2, 3, 4, 5, 6}, {11, 12, 13}});
  EXPECT_EQ(rows_of(merged(lists, {6, 3}, 100)), "1 11 2 3 12 4 5 13 6");
  EXPECT_EQ(rows_of(merged(lists, {6, 3}, 4)), "1 11 2 3");
  EXPECT_EQ(rows_of(merged(lists, {3, 6}, 6)), "11 1 12 13 2 3");
  // A generator of small quota is not shut out by a cut below the sum of the quotas.
  EXPECT_EQ(rows_of(merged(lists, {60, 10}, 5)), "1 2 3 11 4");
}

TEST_CASE("equal quotas are one item each in turn") {
  Random random(1);
  for (int round = 0; round < 50; ++round) {
    const Lists lists = random_lists(random, 4);
    std::vector<int64_t> expected;
    for (size_t rank = 0; rank < 40; ++rank) {
      for (const auto& list : lists) {
        if (rank >= list.size()) continue;
        const int64_t row = list[rank].row;
        if (std::find(expected.begin(), expected.end(), row) == expected.end()) {
          expected.push_back(row);
        }
      }
    }
    const auto most = static_cast<uint32_t>(1 + random.below(50));
    expected.resize(std::min<size_t>(most, expected.size()));
    EXPECT_EQ(rows_of(merged(lists, {500, 500, 500, 500}, most)), text(expected));
  }
}

TEST_CASE("turns come at (rank + ½) / quota, and every generator that found an item is named") {
  Random random(2);
  for (int round = 0; round < 50; ++round) {
    const Lists lists = random_lists(random, 3);
    std::vector<uint32_t> quotas;
    for (int g = 0; g < 3; ++g) quotas.push_back(static_cast<uint32_t>(1 + random.below(60)));
    std::vector<std::tuple<double, size_t, size_t>> turns;
    for (size_t g = 0; g < lists.size(); ++g) {
      for (size_t rank = 0; rank < lists[g].size(); ++rank) {
        turns.emplace_back((static_cast<double>(rank) + 0.5) / quotas[g], g, rank);
      }
    }
    std::sort(turns.begin(), turns.end());
    const auto most = static_cast<uint32_t>(1 + random.below(50));
    std::vector<int64_t> expected;
    for (const auto& [at, g, rank] : turns) {
      const int64_t row = lists[g][rank].row;
      const bool known = std::find(expected.begin(), expected.end(), row) != expected.end();
      if (!known && expected.size() < most) expected.push_back(row);
    }
    const CandidateSet candidates = merged(lists, quotas, most);
    EXPECT_EQ(rows_of(candidates), text(expected));
    for (size_t i = 0; i < candidates.size(); ++i) {
      for (size_t g = 0; g < lists.size(); ++g) {
        const auto found =
            std::find_if(lists[g].begin(), lists[g].end(),
                         [&](const Retrieved& item) { return item.row == candidates.rows[i]; });
        const double score = candidates.source_scores[i * 3 + g];
        EXPECT(found == lists[g].end() ? std::isnan(score) : score == found->score);
      }
    }
  }
}

TEST_CASE("nothing found, or room for nothing, is an empty list") {
  EXPECT_EQ(rows_of(merged({}, {}, 10)), "");
  EXPECT_EQ(rows_of(merged({{}, {}}, {0, 5}, 10)), "");
  EXPECT_EQ(rows_of(merged(lists_of({{1}}), {5}, 0)), "");
}
