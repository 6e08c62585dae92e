#include "features/recent_reads.h"

#include <string>
#include <vector>

#include "check.h"
#include "ranking/tower_buckets.h"
#include "request_support.h"

namespace {

using namespace feedrank;
using namespace feedrank::testing;

void read_at(World& world, const UserId& user, int64_t item, int64_t hours_ago) {
  const Event happened = event(EventType::kRead, user, item, kNowMs - hours_ago * kHourMs, 1000);
  world.engagement->record({&happened, 1}, kNowMs);
}

std::string reads_of(const World& world, const std::optional<UserId>& user,
                     const std::optional<ItemId>& page, uint32_t most,
                     std::optional<uint32_t> space = std::nullopt) {
  const auto snapshot = world.catalog->pin();
  std::string found;
  for (const RecentRead& read :
       recent_reads(*snapshot, *world.engagement, {user, page, kNowMs, most, space})) {
    if (!found.empty()) found += ' ';
    found += std::to_string(std::get<int64_t>(snapshot->id(read.row))) + "@" +
             std::to_string(static_cast<int>(read.hours));
  }
  return found;
}

World world_of_readers() {
  World world;
  Engagement::Options options = engagement_options({kHourMs});
  options.lateness_ms = 1000 * kHourMs;
  world.engagement = std::make_shared<Engagement>(world.catalog, options);
  world.add_items(6);
  const UserId reader{std::string("reader")};
  for (const auto& [item, hours] :
       std::vector<std::pair<int64_t, int64_t>>{{1, 5}, {2, 4}, {3, 3}, {4, 2}}) {
    read_at(world, reader, item, hours);
  }
  return world;
}

TEST_CASE("recent reads are the newest first, each once, the page before all") {
  const World world = world_of_readers();
  const UserId reader{std::string("reader")};
  EXPECT_EQ(reads_of(world, reader, std::nullopt, 10), "4@2 3@3 2@4 1@5");
  EXPECT_EQ(reads_of(world, reader, std::nullopt, 2), "4@2 3@3");
  EXPECT_EQ(reads_of(world, reader, ItemId{int64_t{6}}, 3), "6@0 4@2 3@3");
  EXPECT_EQ(reads_of(world, reader, ItemId{int64_t{2}}, 10), "2@0 4@2 3@3 1@5");
  EXPECT_EQ(reads_of(world, std::nullopt, ItemId{int64_t{2}}, 10), "2@0");
  EXPECT_EQ(reads_of(world, reader, ItemId{int64_t{99}}, 1), "4@2");
  EXPECT_EQ(reads_of(world, UserId{std::string("stranger")}, std::nullopt, 10), "");
  EXPECT_EQ(reads_of(world, std::nullopt, std::nullopt, 10), "");
}

TEST_CASE("reads of items that have left, or have no vector, make room for older ones") {
  World world = world_of_readers();
  const UserId reader{std::string("reader")};
  remove(*world.catalog, {int64_t{4}});
  EXPECT_EQ(reads_of(world, reader, std::nullopt, 2), "3@3 2@4");
  upsert(*world.catalog, {{int64_t{3}, kNowMs, "", {}, {{}}, {0}}});
  EXPECT_EQ(reads_of(world, reader, std::nullopt, 2), "3@3 2@4");
  EXPECT_EQ(reads_of(world, reader, std::nullopt, 2, 0), "2@4 1@5");
}

TEST_CASE("buckets of ids never change, or stored towers would be wrong") {
  EXPECT_EQ(tower_bucket(ItemId{int64_t{1}}, 32'768), 18697U);
  EXPECT_EQ(tower_bucket(ItemId{std::string("1")}, 32'768), 30037U);
  EXPECT_EQ(tower_bucket(ItemId{int64_t{-9'007'199'254'740'991}}, 32'768), 7547U);
  EXPECT_EQ(tower_bucket(ItemId{std::string("grüße")}, 1000), 648U);
  EXPECT_EQ(tower_bucket(ItemId{std::string("anything")}, 2), 1U);
}

TEST_CASE("buckets are spread evenly and leave 0 to what is unknown") {
  std::vector<uint32_t> counts(101, 0);
  for (int64_t id = 0; id < 100'000; ++id) ++counts[tower_bucket(ItemId{id}, 101)];
  EXPECT_EQ(counts[0], 0U);
  // Five standard deviations around a mean of 1,000.
  for (size_t b = 1; b < counts.size(); ++b) EXPECT_NEAR(counts[b], 1000, 160);
}

}  // namespace
