#include "features/feature_assembler.h"

#include <cmath>
#include <vector>

#include "check.h"
#include "support.h"

namespace {

using namespace feedrank;
using namespace feedrank::testing;

constexpr int64_t kHour = 3'600'000;
constexpr int64_t kNow = 1'700'000'000'000;

/// Three items: one with everything, one with nothing, one from the future with odd values.
struct Scene {
  std::shared_ptr<Catalog> catalog = std::make_shared<Catalog>(CatalogSchema{
      IdKind::kInteger, {{"tower", 3, "1"}, {"other", 2, "1"}}, {"quality", "length"}, {}});
  std::shared_ptr<Engagement> engagement = std::make_shared<Engagement>(catalog, options());
  std::unique_ptr<const Snapshot> snapshot;
  std::vector<Row> rows;
  std::vector<double> context = {0.25, kNaN};
  std::optional<UserId> user = UserId{7};
  std::optional<ItemId> page = ItemId{1};
  SegmentCodes segments = {1, kNoSegment, kNoSegment, kNoSegment};
  std::vector<UserVectors> users = {{0, 3, {1, 2, 3, -1, 0.5F, 4}}, {0, 3, {0, 0, -9}}};

  Scene() {
    upsert(*catalog, {{1, kNow - 5 * kHour, "", {}, {{0.5F, -1, 2}, {1, 1}}, {-3.5, 1e300}},
                      {2, kNow - 1},
                      {3, kNow + kHour, "", {}, {{1e14F, 1e14F, 1e14F}}, {kInfinity, -1e300}}});
    const std::vector<Event> events = {event(EventType::kImpression, 7, 1, kNow - 4 * kHour),
                                       event(EventType::kImpression, 7, 1, kNow - kHour),
                                       event(EventType::kClick, 7, 1, kNow - kHour),
                                       event(EventType::kDwell, 7, 1, kNow, 90'000)};
    engagement->record(events, kNow);
    snapshot = catalog->pin();
    rows = {row_of(*snapshot, 1), row_of(*snapshot, 2), row_of(*snapshot, 3)};
  }

  static Engagement::Options options() {
    Engagement::Options made = engagement_options({kHour, 24 * kHour});
    made.lateness_ms = 100 * kHour;
    made.segmentations = {{"device", {"desktop", "mobile"}}};
    made.segment_half_lives_ms = {2 * kHour, 12 * kHour};
    return made;
  }

  std::vector<float> fill(const FeatureList& list, size_t stride = 0) const {
    if (stride == 0) stride = list.features.size();
    std::vector<float> out(rows.size() * stride, 77.0F);
    FeatureAssembler::fill(list,
                           {*snapshot, *engagement, kNow, context, users, user, page, segments},
                           rows, out.data(), stride);
    return out;
  }

  /// One feature's values for the three items.
  std::vector<float> values(FeatureSource source, uint32_t index = 0, double missing = 0,
                            Counter counter = Counter::kImpressions) const {
    return fill({{{source, Transformation::kIdentity, counter, index, missing}}, smoothing});
  }

  Smoothing smoothing;
};

}  // namespace

TEST_CASE("counter features are the decayed sums of the item's own events") {
  const Scene scene;
  const auto hour = scene.values(FeatureSource::kCounter, 0);
  EXPECT_NEAR(hour[0], 0.0625 + 0.5, 1e-7);
  EXPECT_EQ(hour[1], 0.0F);
  EXPECT_EQ(hour[2], 0.0F);
  const auto day = scene.values(FeatureSource::kCounter, 1);
  EXPECT_NEAR(day[0], std::pow(2.0, -4.0 / 24) + std::pow(2.0, -1.0 / 24), 1e-6);
  EXPECT_NEAR(scene.values(FeatureSource::kCounter, 0, 0, Counter::kDwellSeconds)[0], 90, 1e-5);
}

TEST_CASE("rates are smoothed by their priors") {
  Scene scene;
  scene.smoothing = {0.2, 4, 20, 3};
  const auto rate = scene.values(FeatureSource::kClickThroughRate, 0);
  EXPECT_NEAR(rate[0], (0.5 + 0.2 * 4) / (0.5625 + 4), 1e-7);
  EXPECT_NEAR(rate[1], 0.2, 1e-7);
  const auto dwell = scene.values(FeatureSource::kMeanDwell, 1);
  EXPECT_NEAR(dwell[0], (90.0 + 20 * 3) / (1 + 3), 1e-5);
  EXPECT_NEAR(dwell[1], 20, 1e-5);
}

TEST_CASE("a rate without a prior is missing where there are no events") {
  Scene scene;
  scene.smoothing = {0, 0, 0, 0};
  const auto rate = scene.values(FeatureSource::kClickThroughRate, 0, -1);
  EXPECT_NEAR(rate[0], 0.5 / 0.5625, 1e-6);
  EXPECT_EQ(rate[1], -1.0F);
  EXPECT_EQ(scene.values(FeatureSource::kMeanDwell, 0, -2)[2], -2.0F);
}

TEST_CASE("age is in hours, and 0 for what is published in the future") {
  const Scene scene;
  const auto age = scene.values(FeatureSource::kAge);
  EXPECT_NEAR(age[0], 5, 1e-6);
  EXPECT_NEAR(age[1], 1.0 / 3'600'000.0, 1e-12);
  EXPECT_EQ(age[2], 0.0F);
}

TEST_CASE("time since first seen counts from the first impression, and is 0 before it") {
  const Scene scene;
  const auto seen = scene.values(FeatureSource::kTimeSinceFirstSeen);
  EXPECT_NEAR(seen[0], 4, 1e-6);
  EXPECT_EQ(seen[1], 0.0F);
}

TEST_CASE("columns and context values are taken as they are, or replaced where they are missing") {
  const Scene scene;
  const auto quality = scene.values(FeatureSource::kColumn, 0, 0.5);
  EXPECT_EQ(quality[0], -3.5F);
  EXPECT_EQ(quality[1], 0.5F);
  EXPECT_EQ(quality[2], 0.5F);  // Infinity is no value.
  EXPECT_EQ(scene.values(FeatureSource::kContext, 0, 9)[2], 0.25F);
  EXPECT_EQ(scene.values(FeatureSource::kContext, 1, 9)[0], 9.0F);
}

TEST_CASE("the dot feature is the best of the query's vectors in the space") {
  const Scene scene;
  const auto dot = scene.values(FeatureSource::kDot, 0, -5);
  // (1, 2, 3) gives 4.5, (−1, 0.5, 4) gives 7, (0, 0, −9) gives −18.
  EXPECT_NEAR(dot[0], 7, 1e-6);
  EXPECT_EQ(dot[1], -5.0F);
  EXPECT_NEAR(dot[2] / 6e14, 1, 1e-6);
  EXPECT_EQ(scene.values(FeatureSource::kDot, 1, -5)[0], -5.0F);  // no user vector in that space
}

TEST_CASE("the dot feature may be negative where every vector says so") {
  Scene scene;
  scene.users = {{0, 3, {0, 0, -9}}};
  EXPECT_NEAR(scene.values(FeatureSource::kDot)[0], -18, 1e-6);
}

TEST_CASE("log1p keeps the sign and is taken of the stand-in for a missing value as well") {
  const Scene scene;
  const Feature quality = {FeatureSource::kColumn, Transformation::kLog1p, Counter::kClicks, 0, 3};
  const auto values = scene.fill({{quality}, {}});
  EXPECT_NEAR(values[0], -std::log(4.5), 1e-6);
  EXPECT_NEAR(values[1], std::log(4.0), 1e-6);
}

TEST_CASE("every value is finite, however large what it comes from is") {
  const Scene scene;
  const auto length = scene.values(FeatureSource::kColumn, 1);
  EXPECT_EQ(length[0], std::numeric_limits<float>::max());
  EXPECT_EQ(length[2], -std::numeric_limits<float>::max());
  FeatureList list;
  for (uint32_t source = 0; source < kFeatureSources; ++source) {
    for (const auto transformation : {Transformation::kIdentity, Transformation::kLog1p}) {
      for (const uint32_t index : {0U, 1U}) {
        list.features.push_back({static_cast<FeatureSource>(source), transformation,
                                 Counter::kDwellSeconds, index, -1e308, 0});
      }
    }
  }
  for (const float value : scene.fill(list)) EXPECT(std::isfinite(value));
}

TEST_CASE("rows may be wider than the features, and what lies behind them is left alone") {
  const Scene scene;
  const FeatureList list = {
      {{FeatureSource::kAge, {}, {}, 0, 0}, {FeatureSource::kColumn, {}, {}, 0, 0}}, {}};
  const auto out = scene.fill(list, 4);
  EXPECT_NEAR(out[0], 5, 1e-6);
  EXPECT_EQ(out[1], -3.5F);
  EXPECT_EQ(out[2], 77.0F);
  EXPECT_EQ(out[3], 77.0F);
  EXPECT_EQ(out[8], 0.0F);
}

TEST_CASE("the same features come out as the same bits, one by one and together") {
  const Scene scene;
  FeatureList all;
  for (uint32_t source = 0; source < kFeatureSources; ++source) {
    all.features.push_back(
        {static_cast<FeatureSource>(source), Transformation::kLog1p, Counter::kClicks, 0, 0.1, 0});
  }
  const auto together = scene.fill(all);
  for (size_t f = 0; f < all.features.size(); ++f) {
    const auto alone = scene.fill({{all.features[f]}, {}});
    for (size_t i = 0; i < 3; ++i) EXPECT_EQ(together[i * all.features.size() + f], alone[i]);
  }
}
