#include "features/reader_signals.h"

#include <cmath>
#include <vector>

#include "check.h"
#include "support.h"

namespace {

using namespace feedrank;
using namespace feedrank::testing;

constexpr int64_t kHour = 3'600'000;
constexpr int64_t kNow = 1'700'000'000'000;
constexpr ReaderSignals::Parts kAll{true, true, true, true};

struct Scene {
  std::shared_ptr<Catalog> catalog = integer_catalog();
  Engagement engagement{catalog, engagement_options({kHour})};

  Scene() { upsert(*catalog, {{1, kNow}, {2, kNow}, {3, kNow}, {4, kNow}}); }

  void happened(EventType type, int64_t user, int64_t item, std::optional<ItemId> from = {}) {
    Event made = event(type, user, item, kNow);
    made.from = from;
    engagement.record({&made, 1}, kNow);
  }
  ReaderSignals::OfItem of(int64_t item, std::optional<UserId> user,
                           std::optional<ItemId> page = {},
                           ReaderSignals::Parts parts = kAll) const {
    const auto snapshot = catalog->pin();
    const ReaderSignals signals({*snapshot, engagement, kNow, user, page, 10.0}, parts);
    return signals.of(slot_of(*catalog, item));
  }
};

}  // namespace

TEST_CASE("a similarity is the pair over the root of both items' reads, shrunk") {
  Scene scene;
  for (const int64_t user : {1, 2, 3}) {
    scene.happened(EventType::kRead, user, 1);
    scene.happened(EventType::kRead, user, 2);
  }
  scene.happened(EventType::kRead, 4, 1);
  scene.happened(EventType::kRead, 9, 1);
  const auto two = scene.of(2, 9);
  // Five have read item 1, three have read item 2, and those three both.
  EXPECT_NEAR(two.co_read_sum, 3 / std::sqrt((5.0 + 10) * (3 + 10)), 1e-12);
  EXPECT_EQ(two.co_read_sum, two.co_read_max);
  EXPECT_NEAR(scene.of(2, {}, 1).co_read_current, two.co_read_sum, 1e-12);
  EXPECT_EQ(scene.of(3, 9).co_read_sum, 0.0);
  EXPECT(scene.of(1, 9).read);
  EXPECT(!two.read);
}

TEST_CASE("reads of items that are gone count for nothing, whoever has their places") {
  Scene scene;
  for (const int64_t user : {1, 2}) {
    scene.happened(EventType::kRead, user, 1);
    scene.happened(EventType::kRead, user, 2);
  }
  scene.happened(EventType::kRead, 9, 1);
  EXPECT(scene.of(2, 9).co_read_sum > 0);
  remove(*scene.catalog, {1});
  EXPECT_EQ(scene.of(2, 9).co_read_sum, 0.0);
  upsert(*scene.catalog, {{5, kNow}});
  EXPECT_EQ(scene.of(2, 9).co_read_sum, 0.0);
}

TEST_CASE("what was shown, and what was only hidden") {
  Scene scene;
  scene.happened(EventType::kImpression, 9, 1);
  scene.happened(EventType::kImpression, 9, 1);
  scene.happened(EventType::kHide, 9, 2);
  EXPECT_EQ(scene.of(1, 9).times_shown, 2);
  EXPECT_EQ(scene.of(1, 9).last_shown, kNow);
  EXPECT_EQ(scene.of(2, 9).times_shown, 0);
  EXPECT_EQ(scene.of(1, 8).times_shown, 0);
}

TEST_CASE("clicks from a page are counted of the page") {
  Scene scene;
  scene.happened(EventType::kClick, 1, 2, ItemId{1});
  scene.happened(EventType::kClick, 2, 2, ItemId{1});
  scene.happened(EventType::kClick, 3, 3, ItemId{1});
  EXPECT_NEAR(scene.of(2, {}, 1).follow_ups, 2, 1e-12);
  EXPECT_EQ(scene.of(2, {}, 3).follow_ups, 0.0);
  const std::optional<UserId> nobody;
  const std::optional<ItemId> page = 1;
  const std::optional<ItemId> unknown = 99;
  const auto snapshot = scene.catalog->pin();
  const ReaderSignals of_page({*snapshot, scene.engagement, kNow, nobody, page, 10.0}, kAll);
  EXPECT_NEAR(of_page.clicks_from_page(), 3, 1e-12);
  EXPECT(of_page.has_page());
  const ReaderSignals of_none({*snapshot, scene.engagement, kNow, nobody, unknown, 10.0}, kAll);
  EXPECT(!of_none.has_page());
}
