// What the assembly of features costs a request: 500 candidates of a busy feed.

#include <cmath>
#include <memory>
#include <random>
#include <vector>

#include "../../test/native/support.h"
#include "benchmark.h"
#include "features/feature_assembler.h"

namespace {

using namespace feedrank;

constexpr int64_t kHour = 3'600'000;
constexpr int64_t kNow = 1'700'000'000'000;
constexpr uint32_t kItems = 20'000;
constexpr uint32_t kCandidates = 500;

struct World {
  std::shared_ptr<Catalog> catalog;
  std::unique_ptr<Engagement> engagement;
  std::unique_ptr<const Snapshot> snapshot;
  std::vector<Row> rows;
  std::optional<UserId> user = UserId{7};
  std::optional<ItemId> page = ItemId{3};

  World() {
    catalog = testing::integer_catalog();
    Engagement::Options options;
    options.half_lives_ms = {kHour / 2, 3 * kHour, 12 * kHour, 48 * kHour};
    options.segmentations = {{"device", {"desktop", "mobile", "tablet"}},
                             {"surface", {"front", "article"}}};
    options.segment_half_lives_ms = {2 * kHour, 12 * kHour};
    engagement = std::make_unique<Engagement>(catalog, options);
    engagement->want_pool();
    std::vector<testing::TestItem> items;
    for (int64_t id = 0; id < kItems; ++id) {
      items.push_back({id, kNow - id * 1000, "", {}, {}, {static_cast<double>(id % 17)}});
    }
    testing::upsert(*catalog, items);
    std::mt19937_64 random(1);
    std::uniform_real_distribution<double> even;
    std::vector<Event> events(200'000);
    for (size_t i = 0; i < events.size(); ++i) {
      Event& event = events[i];
      const double which = even(random);
      event.type = which < 0.8    ? EventType::kImpression
                   : which < 0.9  ? EventType::kClick
                   : which < 0.98 ? EventType::kDwell
                                  : EventType::kHide;
      event.user = UserId(static_cast<int64_t>(even(random) * 5'000));
      event.item = ItemId(static_cast<int64_t>(std::pow(even(random), 3) * 5'000));
      event.at = kNow - kHour + static_cast<int64_t>(i) * kHour / 200'000;
      event.dwell_ms = 30'000;
      event.scrolled = 0.5;
      if (event.type == EventType::kClick) event.from = ItemId(event.at % 200);
      event.segments[0] = static_cast<uint8_t>(even(random) * 3);
      event.segments[1] = static_cast<uint8_t>(3 + even(random) * 2);
    }
    engagement->record(events, kNow);
    snapshot = catalog->pin();
    for (uint32_t i = 0; i < kCandidates; ++i) {
      rows.push_back(testing::row_of(*snapshot, ItemId{static_cast<int64_t>(i) * 7}));
    }
  }
};

/// The table of the learning guide, 69 columns of items, segments, reader and page.
FeatureList absolute() {
  FeatureList list;
  const auto add = [&](FeatureSource source, Transformation transformation, uint32_t index = 0,
                       uint32_t second = Feature::kNoSecond, Counter counter = {}) {
    list.features.push_back({source, transformation, counter, index, 0, second});
  };
  constexpr auto kLog1p = Transformation::kLog1p;
  constexpr auto kPlain = Transformation::kIdentity;
  for (uint32_t h = 0; h < 4; ++h) {
    for (const Counter counter :
         {Counter::kImpressions, Counter::kClicks, Counter::kDwellSeconds}) {
      add(FeatureSource::kCounter, kLog1p, h, Feature::kNoSecond, counter);
    }
    add(FeatureSource::kClickThroughRate, kPlain, h);
    add(FeatureSource::kMeanDwell, kLog1p, h);
    add(FeatureSource::kCompletion, kPlain, h);
    add(FeatureSource::kDwellAgainstExpected, kPlain, h);
    add(FeatureSource::kHideRate, kPlain, h);
    add(FeatureSource::kReportRate, kPlain, h);
    add(FeatureSource::kCounter, kLog1p, h, Feature::kNoSecond, Counter::kHides);
    add(FeatureSource::kCounter, kLog1p, h, Feature::kNoSecond, Counter::kReports);
  }
  add(FeatureSource::kTrend, kPlain, 0, 2);
  add(FeatureSource::kAge, kLog1p);
  add(FeatureSource::kTimeSinceFirstSeen, kLog1p);
  add(FeatureSource::kColumn, kPlain);
  for (uint32_t segment = 0; segment < 2; ++segment) {
    for (uint32_t h = 0; h < 2; ++h) {
      add(FeatureSource::kSegmentImpressions, kLog1p, h, segment);
      add(FeatureSource::kSegmentClicks, kLog1p, h, segment);
      add(FeatureSource::kSegmentClickThroughRate, kPlain, h, segment);
    }
  }
  for (uint32_t source = static_cast<uint32_t>(FeatureSource::kAlreadyRead);
       source < kFeatureSources; ++source) {
    add(static_cast<FeatureSource>(source), kLog1p);
  }
  return list;
}

/// The same with every column of items alone once more, relative to the reference set.
FeatureList with_relative(ReferenceSet reference) {
  FeatureList list = absolute();
  const std::vector<Feature> own = list.features;
  for (Feature feature : own) {
    if (!of_item_alone(feature.source)) continue;
    feature.reference = reference;
    list.features.push_back(feature);
  }
  return list;
}

void assemble(feedrank::bench::Bench& bench, const FeatureList& list) {
  const World world;
  const size_t width = list.features.size();
  std::vector<float> out(kCandidates * width);
  const FeatureAssembler::Inputs inputs{*world.snapshot,
                                        *world.engagement,
                                        kNow + 1,
                                        {},
                                        {},
                                        world.user,
                                        world.page,
                                        SegmentCodes{1, 3, kNoSegment, kNoSegment}};
  bench.measure([&] {
    FeatureAssembler::fill(list, inputs, world.rows, out.data(), width);
    feedrank::bench::keep(out);
  });
  bench.report("features", static_cast<double>(width));
}

}  // namespace

BENCHMARK("features-absolute", "features of 500 candidates, none of them relative (ms)") {
  assemble(bench, absolute());
}

BENCHMARK("features-pool", "the same, and those of items relative to the pool (ms)") {
  assemble(bench, with_relative(ReferenceSet::kPool));
}

BENCHMARK("features-list", "the same, and those of items relative to the list of 500 (ms)") {
  assemble(bench, with_relative(ReferenceSet::kList));
}

BENCHMARK("pool-freeze", "freezing a pool of some 5,000 items, and 48 statistics over it (ms)") {
  const World world;
  const FeatureList list = absolute();
  std::vector<Feature> features;
  for (const Feature& feature : list.features) {
    if (of_item_alone(feature.source)) features.push_back(feature);
  }
  int64_t instant = kNow + kHour;
  bench.measure([&] {
    instant += 300'000;
    const FrozenPool pool(
        {*world.snapshot, world.engagement->counters(), world.engagement->quality(),
         world.engagement->totals().read(Engagement::kTotals, instant)},
        instant, kNow - 24 * kHour);
    feedrank::bench::keep(pool.statistics(features, {}));
  });
}
