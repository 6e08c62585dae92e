// When an earlier answer may be given again.

#include "check.h"
#include "request_support.h"

namespace {

using namespace feedrank;
using namespace feedrank::testing;
using FilterKind = FilterStage::Kind;

const UserId kReader = std::string("reader");

World filtered_world() {
  World world;
  world.add_items(5);
  world.add_filter("seen", FilterKind::kSeen);
  world.add_filter("young", FilterKind::kMaximumAge);
  world.add_filter("own", FilterKind::kExternal);
  world.settings.max_age_ms = 10.0 * kHourMs;
  world.query.user = kReader;
  return world;
}

bool repeats(const World& world, const std::vector<int64_t>& ids) {
  const std::vector<ItemId> items(ids.begin(), ids.end());
  const std::vector<double> scores(ids.size(), 1.0);
  return world.request()->repeats(items, scores);
}

}  // namespace

TEST_CASE("an answer is given again while all of its items pass the native filters") {
  World world = filtered_world();
  EXPECT(repeats(world, {1, 2, 5}));
  EXPECT(repeats(world, {}));
  world.query.now += 6 * kHourMs;
  EXPECT(repeats(world, {1, 2, 4}));
  EXPECT(!repeats(world, {1, 2, 5}));
}

TEST_CASE("an answer is not given again with an item that has been read or has gone") {
  World world = filtered_world();
  world.happened(EventType::kClick, kReader, 2);
  EXPECT(!repeats(world, {1, 2}));
  EXPECT(repeats(world, {1, 3}));
  remove(*world.catalog, {3});
  EXPECT(!repeats(world, {1, 3}));
  EXPECT(!repeats(world, {77}));
  world.query.seen = {ItemId{int64_t{1}}};
  EXPECT(!repeats(world, {1}));
}
