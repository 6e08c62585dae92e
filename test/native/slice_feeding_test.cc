// How events and answered slates reach the monitor of slices.

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "check.h"
#include "request_support.h"

namespace {

using namespace feedrank;
using namespace feedrank::testing;

World labelled_world() {
  World world;
  world.catalog = std::make_shared<Catalog>(
      CatalogSchema{IdKind::kInteger, {}, {"quality"}, {"creator", "language"}});
  Engagement::Options options = engagement_options({kHourMs});
  options.segmentations = {{"device", {"desktop", "mobile"}}};
  options.segment_half_lives_ms = {kHourMs};
  world.engagement = std::make_shared<Engagement>(world.catalog, options);
  upsert(*world.catalog, {{1, kNowMs, "", {}, {}, {3}, {"independent", "da"}},
                          {2, kNowMs, "", {}, {}, {2}, {"publisher"}},
                          {3, kNowMs, "", {}, {}, {1}, {"publisher", "sv"}},
                          {4, kNowMs, "", {}, {}, {0}}});
  return world;
}

SliceSums group(const World& world, size_t label, const std::string& value) {
  const auto reading = world.engagement->slices().read(kNowMs);
  for (const auto& group : reading.labels[label].groups) {
    if (world.catalog->strings().text(group.label_value) == value) return group.sums;
  }
  return {};
}

Event click(int64_t item, const std::string& event_id = "", int64_t at = kNowMs) {
  Event made = event(EventType::kClick, "ann", item, at, 0, event_id);
  made.segments[0] = 1;
  return made;
}

}  // namespace

TEST_CASE("an event counts for the labels that its item has as of now, and only where it counts") {
  World world = labelled_world();
  const std::vector<Event> events{click(1),         click(2, "once"),
                                  click(2, "once"), click(3, "", kNowMs - 2 * kHourMs),
                                  click(4),         click(99)};
  const RecordResult result = world.engagement->record(events, kNowMs);
  EXPECT_EQ(result.recorded, 3U);
  EXPECT_NEAR(group(world, 0, "independent").clicks, 1, 1e-12);
  EXPECT_NEAR(group(world, 0, "publisher").clicks, 1, 1e-12);
  EXPECT_NEAR(group(world, 1, "da").clicks, 1, 1e-12);
  EXPECT_NEAR(group(world, 1, "sv").clicks, 0, 0);
  const auto reading = world.engagement->slices().read(kNowMs);
  EXPECT_NEAR(reading.all.clicks, 3, 1e-12);
  EXPECT_NEAR(reading.segments[1].clicks, 3, 1e-12);
  EXPECT_NEAR(reading.segments[0].clicks, 0, 0);

  upsert(*world.catalog, {{1, kNowMs, "", {}, {}, {3}, {"publisher", "da"}}});
  world.catalog->remove(std::vector<ItemId>{int64_t{2}});
  world.engagement->record(std::vector<Event>{click(1), click(2)}, kNowMs);
  EXPECT_NEAR(group(world, 0, "independent").clicks, 1, 1e-12);
  EXPECT_NEAR(group(world, 0, "publisher").clicks, 2, 1e-12);
}

TEST_CASE("labels of slots are those of their items, and none of an item that has left") {
  World world = labelled_world();
  std::vector<Slot> slots =
      world.catalog->slots(std::vector<ItemId>{int64_t{3}, int64_t{4}, int64_t{2}});
  world.catalog->remove(std::vector<ItemId>{int64_t{2}});
  slots.push_back({});
  const std::vector<uint32_t> labels = world.catalog->labels(slots);
  const StringTable& strings = world.catalog->strings();
  constexpr uint32_t kNone = StringTable::kNone;
  EXPECT((labels == std::vector<uint32_t>{strings.find("publisher"), strings.find("sv"), kNone,
                                          kNone, kNone, kNone, kNone, kNone}));
}

TEST_CASE("an answered slate counts by the places of its items") {
  World world = labelled_world();
  world.add_generator("fresh", GeneratorStage::Kind::kFresh);
  world.query.segments[0] = 0;
  world.query.limit = 3;
  const auto request = world.done();
  EXPECT_EQ(slate_of(*request), "1 2 3");
  const double second = 1 / std::log2(3.0);
  EXPECT_NEAR(group(world, 0, "independent").exposure, 1, 1e-12);
  EXPECT_NEAR(group(world, 0, "publisher").exposure, second + 0.5, 1e-12);
  EXPECT_NEAR(group(world, 0, "publisher").mean, 1.5, 1e-12);
  const auto reading = world.engagement->slices().read(kNowMs);
  EXPECT_NEAR(reading.segments[0].exposure, 1 + second + 0.5, 1e-12);
  EXPECT_NEAR(reading.segments[0].mean, 2, 1e-12);
  EXPECT_NEAR(reading.segments[1].exposure, 0, 0);
}

TEST_CASE("a request that is not done yet has shown nothing; when it is, it counts once") {
  World world = labelled_world();
  world.add_generator("fresh", GeneratorStage::Kind::kFresh);
  world.plan.selector.kind = SelectorStage::Kind::kExternal;
  const auto request = world.request();
  EXPECT(run(*request) == Request::State::kSelector);
  EXPECT_NEAR(world.engagement->slices().read(kNowMs).all.exposure, 0, 0);
  // An item that leaves while the slate is being chosen is not shown.
  world.catalog->remove(std::vector<ItemId>{int64_t{1}});
  EXPECT(run(*request, SelectedOrder{{0, 1, 2}, "", 1}) == Request::State::kDone);
  EXPECT_EQ(request->order().size(), 2U);
  EXPECT_NEAR(world.engagement->slices().read(kNowMs).all.exposure, 1 + 1 / std::log2(3.0), 1e-12);
  EXPECT_NEAR(group(world, 0, "independent").exposure, 0, 0);
}
