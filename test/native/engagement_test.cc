#include "features/engagement.h"

#include <vector>

#include "check.h"
#include "support.h"

namespace {

using namespace feedrank;
using namespace feedrank::testing;

constexpr int64_t kNow = 1'700'000'000'000;

Engagement::Options options() { return engagement_options({3'600'000}); }

RecordResult record(Engagement& engagement, const std::vector<Event>& events, int64_t now = kNow) {
  return engagement.record(events, now);
}

}  // namespace

TEST_CASE("recorded events reach the counters and the reader's history before record returns") {
  const auto catalog = integer_catalog();
  upsert(*catalog, {{1, 0}, {2, 0}});
  Engagement engagement(catalog, options());
  const RecordResult result =
      record(engagement, {event(EventType::kImpression, "ann", 1, kNow, 0, ""),
                          event(EventType::kImpression, "ann", 2, kNow, 0, ""),
                          event(EventType::kClick, "ann", 2, kNow, 0, ""),
                          event(EventType::kDwell, "ann", 2, kNow, 4500, ""),
                          event(EventType::kHide, "ann", 1, kNow, 0, "")});
  EXPECT_EQ(result.recorded, 5U);
  const CounterValues one = engagement.counters().read(slot_of(*catalog, 1), kNow);
  const CounterValues two = engagement.counters().read(slot_of(*catalog, 2), kNow);
  EXPECT_NEAR(one.at(lane_of(Counter::kImpressions), 0), 1, 1e-12);
  EXPECT_NEAR(one.at(lane_of(Counter::kClicks), 0), 0, 0);
  EXPECT_NEAR(two.at(lane_of(Counter::kClicks), 0), 1, 1e-12);
  EXPECT_NEAR(two.at(lane_of(Counter::kDwellSeconds), 0), 4.5, 1e-12);
  EXPECT_NEAR(two.at(lane_of(Counter::kDwells), 0), 1, 1e-12);
  EXPECT_EQ(one.first_seen, kNow);
  EXPECT_EQ(engagement.users().state("ann", kNow).shown.size(), 2U);
}

TEST_CASE("repeated, late and unknown events are counted as such and change nothing") {
  const auto catalog = integer_catalog();
  upsert(*catalog, {{1, 0}});
  Engagement engagement(catalog, options());
  const RecordResult result =
      record(engagement, {event(EventType::kClick, "a", 1, kNow, 0, "e1"),
                          event(EventType::kClick, "a", 1, kNow, 0, "e1"),
                          event(EventType::kClick, "b", 1, kNow - 600'001, 0, "e2"),
                          event(EventType::kClick, "c", 9, kNow, 0, "e3"),
                          event(EventType::kClick, "a", 1, kNow - 600'000, 0, "e4")});
  EXPECT_EQ(result.recorded, 2U);
  EXPECT_EQ(result.duplicates, 1U);
  EXPECT_EQ(result.late, 1U);
  EXPECT_EQ(result.unknown_items, 1U);
  EXPECT_EQ(engagement.users().size(), 1U);
  const double clicks =
      engagement.counters().read(slot_of(*catalog, 1), kNow).at(lane_of(Counter::kClicks), 0);
  EXPECT_NEAR(clicks, 1 + std::exp2(-600'000.0 / 3'600'000.0), 1e-9);
}

TEST_CASE("a batch with an id of the wrong kind counts nothing of it") {
  const auto catalog = integer_catalog();
  upsert(*catalog, {{1, 0}});
  Engagement engagement(catalog, options());
  EXPECT_EQ(error_code([&] {
              record(engagement, {event(EventType::kClick, "a", 1, kNow, 0, "e1"),
                                  event(EventType::kClick, "a", "1", kNow, 0, "e2")});
            }),
            "INVALID_ARGUMENT");
  EXPECT_EQ(engagement.counters().read(slot_of(*catalog, 1), kNow).at(lane_of(Counter::kClicks), 0),
            0.0);
  EXPECT_EQ(record(engagement, {event(EventType::kClick, "a", 1, kNow, 0, "e1")}).recorded, 1U);
}

TEST_CASE("counters outlive a replacement of their item and end with its removal") {
  const auto catalog = integer_catalog();
  upsert(*catalog, {{1, 0}});
  Engagement engagement(catalog, options());
  record(engagement, {event(EventType::kClick, "a", 1, kNow, 0, "")});
  upsert(*catalog, {{1, 5}});
  EXPECT_NEAR(
      engagement.counters().read(slot_of(*catalog, 1), kNow).at(lane_of(Counter::kClicks), 0), 1,
      1e-12);
  remove(*catalog, {1});
  upsert(*catalog, {{1, 6}});
  EXPECT_EQ(engagement.counters().read(slot_of(*catalog, 1), kNow).at(lane_of(Counter::kClicks), 0),
            0.0);
}

TEST_CASE("an event of a removed item never takes away what its slot's next item has") {
  const auto catalog = integer_catalog();
  upsert(*catalog, {{1, 0}});
  Engagement engagement(catalog, options());
  // The first item's event lies a minute ahead of the clock, so it is held back.
  record(engagement, {event(EventType::kImpression, "a", 1, kNow + 60'000, 0, "")});
  const Slot old = slot_of(*catalog, 1);
  remove(*catalog, {1});
  upsert(*catalog, {{2, 0}});
  REQUIRE(slot_of(*catalog, 2).index == old.index);
  record(engagement, {event(EventType::kClick, "b", 2, kNow, 0, "")});
  record(engagement, {}, kNow + 60'000);
  const CounterValues values = engagement.counters().read(slot_of(*catalog, 2), kNow + 60'000);
  EXPECT(values.at(lane_of(Counter::kClicks), 0) > 0.9);
  EXPECT_EQ(values.at(lane_of(Counter::kImpressions), 0), 0.0);
}
