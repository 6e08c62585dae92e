#include "slate/generators.h"

#include <algorithm>
#include <map>
#include <vector>

#include "brute_force.h"
#include "check.h"
#include "support.h"

namespace {

using namespace feedrank;
using namespace feedrank::testing;

constexpr int64_t kHour = 3'600'000;
constexpr int64_t kNow = 1'700'000'000'000;

std::string ids_of(const Snapshot& snapshot, const std::vector<Retrieved>& items) {
  std::vector<int64_t> ids;
  for (const Retrieved& item : items) ids.push_back(std::get<int64_t>(snapshot.id(item.row)));
  return text(ids);
}

/// Many items of few distinct publish times, so that the order of ties is at work.
std::shared_ptr<Catalog> many(Random& random, int64_t count) {
  const auto catalog = integer_catalog();
  std::vector<TestItem> items;
  for (int64_t i = 0; i < count; ++i) {
    items.push_back(
        {i,
         kNow - random.below(30) * kHour + 3 * kHour,
         "",
         {},
         {{static_cast<float>(random.below(7) - 3), static_cast<float>(random.below(7) - 3)}}});
  }
  std::shuffle(items.begin(), items.end(), random.engine());
  upsert(*catalog, items);
  return catalog;
}

}  // namespace

TEST_CASE(
    "the fresh generator finds the newest items, and its score is the negative age in hours") {
  Random random(1);
  const auto catalog = many(random, 3000);
  const auto snapshot = catalog->pin();
  std::vector<Retrieved> all;
  snapshot->for_each_visible([&](Row row) {
    const int64_t age = std::max<int64_t>(0, kNow - snapshot->publish_time(row));
    all.push_back({row, -static_cast<double>(age) / kHour});
  });
  std::sort(all.begin(), all.end(), [&](const Retrieved& a, const Retrieved& b) {
    return snapshot->before_on_tie(a.row, b.row);
  });
  for (const uint32_t k : {1U, 7U, 1000U, 5000U}) {
    const auto found = fresh_items(*snapshot, kNow, k);
    auto expected = all;
    expected.resize(std::min<size_t>(k, expected.size()));
    EXPECT_EQ(ids_of(*snapshot, found), ids_of(*snapshot, expected));
    for (size_t i = 0; i < found.size(); ++i) EXPECT_EQ(found[i].score, expected[i].score);
  }
}

TEST_CASE("the trending generator finds the highest decayed counters and nothing without events") {
  for (uint64_t seed = 2; seed < 6; ++seed) {
    Random random(seed);
    const auto catalog = many(random, 5000);
    CounterStore counters(std::vector<int64_t>{kHour, 48 * kHour}, kEngagementLanes);
    counters.advance(kNow);
    for (int i = 0; i < 4000; ++i) {
      const Slot slot = slot_of(*catalog, random.below(4000));
      // From the same hour, so that counters tie, or over months, so that landmarks differ.
      const int64_t age = seed % 2 == 0 ? 2 * kHour : random.below(2000) * kHour;
      count(counters, slot, Counter::kClicks, kNow - age, 1.0);
    }
    const auto snapshot = catalog->pin();
    for (const uint32_t half_life : {0U, 1U}) {
      std::vector<Retrieved> all;
      snapshot->for_each_visible([&](Row row) {
        const double value =
            counters.read(snapshot->slot(row), kNow).at(lane_of(Counter::kClicks), half_life);
        if (value > 1e-290) all.push_back({row, value});
      });
      std::sort(all.begin(), all.end(), [&](const Retrieved& a, const Retrieved& b) {
        return a.score != b.score ? a.score > b.score : snapshot->before_on_tie(a.row, b.row);
      });
      for (const uint32_t k : {1U, 20U, 800U}) {
        const auto found =
            trending_items(*snapshot, counters, lane_of(Counter::kClicks), half_life, kNow, k);
        REQUIRE(found.size() == std::min<size_t>(k, all.size()));
        for (size_t i = 0; i < found.size(); ++i) {
          EXPECT_NEAR(found[i].score, all[i].score, 1e-9 * all[i].score);
        }
        if (seed % 2 == 0) {
          all.resize(std::max<size_t>(all.size(), k));
          EXPECT_EQ(ids_of(*snapshot, found),
                    ids_of(*snapshot, {all.begin(), all.begin() + static_cast<ptrdiff_t>(k)}));
        }
      }
      EXPECT(trending_items(*snapshot, counters, lane_of(Counter::kDwells), half_life, kNow, 5)
                 .empty());
    }
  }
}

TEST_CASE("several user vectors give each item its best score") {
  Random random(7);
  const auto catalog = many(random, 500);
  const auto snapshot = catalog->pin();
  const BruteForceRetriever retriever;
  const std::vector<UserVectors> users = {{0, 2, {1, 0.5F, -1, 0.25F}}, {0, 2, {0, -2}}};
  for (const auto negatives : {NegativeDots::kDecay, NegativeDots::kKeep, NegativeDots::kDrop}) {
    std::map<Row, double> best;
    for (const UserVectors& user : users) {
      for (uint32_t u = 0; u < user.count(); ++u) {
        const RetrievalQuery query{std::span(user.values).subspan(u * 2, 2), kNow, 5.0 * kHour, 500,
                                   negatives};
        const auto found_by_one = retriever.retrieve(*snapshot, 0, {&query, 1}).front();
        for (const Retrieved& item : found_by_one) {
          const auto found = best.emplace(item.row, item.score).first;
          found->second = std::max(found->second, item.score);
        }
      }
    }
    std::vector<Retrieved> expected;
    for (const auto& [row, score] : best) expected.push_back({row, score});
    std::sort(expected.begin(), expected.end(), [&](const Retrieved& a, const Retrieved& b) {
      return a.score != b.score ? a.score > b.score : snapshot->before_on_tie(a.row, b.row);
    });
    expected.resize(std::min<size_t>(40, expected.size()));
    const auto found = decayed_dot_items(*snapshot, retriever, 0, users, kNow, 5.0 * kHour,
                                         negatives, 40, nullptr);
    EXPECT_EQ(ids_of(*snapshot, found), ids_of(*snapshot, expected));
  }
}

TEST_CASE("without a user vector in the space there is nothing to retrieve") {
  Random random(8);
  const auto catalog = many(random, 10);
  const BruteForceRetriever retriever;
  const std::vector<UserVectors> elsewhere = {{1, 2, {1, 1}}};
  EXPECT(decayed_dot_items(*catalog->pin(), retriever, 0, {}, kNow, 1, {}, 5, nullptr).empty());
  EXPECT(
      decayed_dot_items(*catalog->pin(), retriever, 0, elsewhere, kNow, 1, {}, 5, nullptr).empty());
}

TEST_CASE(
    "what is passed over is neither trending nor fresh, after items came, went and came back") {
  for (uint64_t seed = 11; seed < 15; ++seed) {
    Random random(seed);
    const auto catalog = integer_catalog();
    CounterStore counters(std::vector<int64_t>{kHour, 48 * kHour}, kEngagementLanes);
    counters.advance(kNow);
    // Rows and slots are used again and again, over more than one chunk of rows.
    for (int round = 0; round < 6; ++round) {
      std::vector<TestItem> items;
      for (int64_t id = 0; id < 12'000; ++id) {
        if (random.chance(0.4)) items.push_back({id, kNow - random.below(5000) * kHour / 100});
      }
      upsert(*catalog, items);
      std::vector<ItemId> gone;
      for (int64_t id = 0; id < 12'000; ++id) {
        if (random.chance(0.1)) gone.emplace_back(id);
      }
      for (int i = 0; i < 600; ++i) {
        const int64_t id = random.below(12'000);
        if (catalog->slots(std::vector<ItemId>{id}).front().index == UINT32_MAX) continue;
        // Some of it lies ahead, and is held back until the end.
        const int64_t at = kNow + kHour - random.below(400) * kHour;
        count(counters, slot_of(*catalog, id), Counter::kClicks, at, 1.0 + random.below(3));
      }
      catalog->remove(gone);
      const auto snapshot = catalog->pin();
      const auto brute_force = [&](auto&& score_of) {
        std::vector<Retrieved> all;
        snapshot->for_each_visible([&](Row row) {
          const double score = score_of(row);
          if (score != 0) all.push_back({row, score});
        });
        std::sort(all.begin(), all.end(), [&](const Retrieved& a, const Retrieved& b) {
          return a.score != b.score ? a.score > b.score : snapshot->before_on_tie(a.row, b.row);
        });
        return all;
      };
      for (const uint32_t half_life : {0U, 1U}) {
        const std::vector<Retrieved> all = brute_force([&](Row row) {
          const double value =
              counters.read(snapshot->slot(row), kNow).at(lane_of(Counter::kClicks), half_life);
          return value > 1e-290 ? value : 0;
        });
        for (const uint32_t k : {1U, 90U, 5000U}) {
          const auto found =
              trending_items(*snapshot, counters, lane_of(Counter::kClicks), half_life, kNow, k);
          REQUIRE(found.size() == std::min<size_t>(k, all.size()));
          for (size_t i = 0; i < found.size(); ++i) {
            EXPECT_NEAR(found[i].score, all[i].score, 1e-9 * all[i].score);
          }
        }
      }
      const std::vector<Retrieved> newest =
          brute_force([&](Row row) { return static_cast<double>(snapshot->publish_time(row)); });
      for (const uint32_t k : {1U, 300U}) {
        const auto found = fresh_items(*snapshot, kNow, k);
        EXPECT_EQ(ids_of(*snapshot, found),
                  ids_of(*snapshot, {newest.begin(), newest.begin() + k}));
      }
    }
  }
}
