// Generators of one request side by side or one after another, alone and among others; and those
// that need not look at every item, each by itself.

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "benchmark.h"
#include "catalog/catalog.h"
#include "features/engagement.h"
#include "ranking/model_backend.h"
#include "runtime/executor.h"
#include "slate/generators.h"
#include "slate/request.h"

namespace {

using namespace feedrank;
using Clock = std::chrono::steady_clock;

constexpr int64_t kNow = 1'700'000'000'000;
constexpr int64_t kHour = 3'600'000;
constexpr uint32_t kDimensions = 64;

struct World {
  std::shared_ptr<Catalog> catalog;
  std::shared_ptr<Engagement> engagement;
  std::shared_ptr<const Retriever> retriever = make_retriever("cpu");
  std::shared_ptr<Plan> plan = std::make_shared<Plan>();
  Query query;
  Settings settings;

  /// Clicks fall on `clicked` items, spread over the catalog as its slots are.
  explicit World(uint32_t items, uint32_t clicked = 20'000) {
    std::mt19937_64 random(1);
    std::normal_distribution<float> normal;
    catalog = std::make_shared<Catalog>(
        CatalogSchema{IdKind::kInteger, {{"tower", kDimensions, "1"}}, {}, {}});
    ItemBatch batch;
    std::vector<float> vectors(size_t{items} * kDimensions);
    for (float& value : vectors) value = normal(random);
    const std::vector<uint8_t> present(items, 1);
    for (uint32_t a = 0; a < 1000; ++a) batch.author_names.push_back(std::to_string(a));
    for (uint32_t t = 0; t < 100; ++t) batch.topic_names.push_back(std::to_string(t));
    for (uint32_t i = 0; i < items; ++i) {
      batch.ids.emplace_back(int64_t{i});
      batch.publish_times.push_back(kNow - static_cast<int64_t>(random() % (72 * kHour)));
      batch.authors.push_back(static_cast<uint32_t>(random() % 1000));
      batch.topics.push_back({static_cast<uint32_t>(random() % 100)});
    }
    batch.spaces.push_back({vectors, present});
    catalog->upsert(batch);

    Engagement::Options options;
    options.half_lives_ms = {kHour / 2, 3 * kHour, 12 * kHour, 48 * kHour};
    engagement = std::make_shared<Engagement>(catalog, options);
    std::vector<Event> events;
    for (uint32_t i = 0; i < 200'000; ++i) {
      Event event;
      event.type = EventType::kClick;
      event.user = UserId(static_cast<int64_t>(random() % 5000));
      const uint32_t among = std::min(items, clicked);
      const uint64_t item = random() % among * (items / among);
      event.item = ItemId(static_cast<int64_t>(item));
      event.at = kNow - 200'000 + i;
      events.push_back(event);
    }
    engagement->record(events, kNow);

    using Kind = GeneratorStage::Kind;
    for (const auto& [name, kind] :
         {std::pair{"decayed-dot", Kind::kDecayedDot}, std::pair{"trending", Kind::kTrending},
          std::pair{"fresh", Kind::kFresh}, std::pair{"followed", Kind::kFollowed},
          std::pair{"co-read", Kind::kCoRead}}) {
      GeneratorStage stage;
      stage.name = name;
      stage.kind = kind;
      stage.half_life = 1;
      plan->generators.push_back(stage);
      settings.quotas.push_back(500);
    }
    plan->enricher_name = "features";
    plan->features.features = {{FeatureSource::kAge, {}, {}, 0, 0},
                               {FeatureSource::kClickThroughRate, {}, {}, 1, 0}};
    plan->ranker.name = "sum";
    plan->ranker.kind = RankerStage::Kind::kWeightedSum;
    plan->ranker.columns = {0, 1};
    plan->ranker.weights = {-1, 10};
    plan->ranker.terms = {"age", "ctr"};
    plan->selector.name = "top-n";
    std::vector<float> user(kDimensions);
    for (float& value : user) value = normal(random);
    query.user = UserId(int64_t{17});
    query.user_vectors = {{0, kDimensions, user}};
    query.now = kNow;
    query.follows.topics = {"3", "5"};
    settings.tau_ms = 24.0 * kHour;
  }
};

/// Milliseconds of each of `count` requests, `together` of them in flight at any time.
std::vector<double> latencies(const World& world, Executor& executor, uint32_t together,
                              uint32_t count, bool helped) {
  std::mutex mutex;
  std::condition_variable ended;
  uint32_t in_flight = 0;
  std::vector<double> times;
  for (uint32_t i = 0; i < count; ++i) {
    std::unique_lock lock(mutex);
    while (in_flight >= together) ended.wait_for(lock, std::chrono::hours(1));
    ++in_flight;
    lock.unlock();
    executor.submit([&, begin = Clock::now()] {
      Request request(world.engagement, world.plan, world.retriever, world.query, world.settings);
      request.run(
          {}, [] { return false; }, helped ? &executor : nullptr);
      bench::keep(request.order());
      const double ms = std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
      std::scoped_lock held(mutex);
      times.push_back(ms);
      --in_flight;
      ended.notify_one();
    });
  }
  std::unique_lock lock(mutex);
  while (in_flight > 0) ended.wait_for(lock, std::chrono::hours(1));
  return times;
}

double quantile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(share * static_cast<double>(values.size() - 1))];
}

void compare(bench::Bench& bench, uint32_t items) {
  const World world(items);
  Executor executor({2, 1024, prepare_torch_thread});
  for (const uint32_t together : {1U, 8U}) {
    std::vector<double> helped;
    std::vector<double> alone;
    // By turns, so that whatever else the machine does falls on both.
    for (int round = 0; round < 23; ++round) {
      for (const bool with : {true, false}) {
        const auto times = latencies(world, executor, together, 10 * together, with);
        auto& all = with ? helped : alone;
        if (round > 2) all.insert(all.end(), times.begin(), times.end());
      }
    }
    const std::string at = " at " + std::to_string(together);
    for (const double share : {0.05, 0.5, 0.95}) {
      const std::string which = std::to_string(static_cast<int>(share * 100 + 0.5)) + at;
      bench.report(std::string("helped p").append(which), quantile(helped, share));
      bench.report(std::string("alone p").append(which), quantile(alone, share));
    }
  }
  bench.measure([&] { latencies(world, executor, 1, 1, true); });
}

}  // namespace

BENCHMARK("generation-2k", "five generators over 2,000 x 64, with helping threads and without") {
  compare(bench, 2'000);
}
BENCHMARK("generation-10k", "five generators over 10,000 x 64, with helping threads and without") {
  compare(bench, 10'000);
}
BENCHMARK("generation-20k", "five generators over 20,000 x 64, with helping threads and without") {
  compare(bench, 20'000);
}
BENCHMARK("generation-100k",
          "five generators over 100,000 x 64, with helping threads and without") {
  compare(bench, 100'000);
}

namespace {

void measure_trending(bench::Bench& bench, uint32_t items, uint32_t clicked) {
  const World world(items, clicked);
  const auto snapshot = world.catalog->pin();
  bench.measure([&] {
    bench::keep(trending_items(*snapshot, world.engagement->counters(), lane_of(Counter::kClicks),
                               1, kNow, 500));
  });
}

void measure_fresh(bench::Bench& bench, uint32_t items) {
  const World world(items);
  const auto snapshot = world.catalog->pin();
  bench.measure([&] { bench::keep(fresh_items(*snapshot, kNow, 500)); });
}

}  // namespace

BENCHMARK("trending-100k", "500 most clicked of 20,000 clicked items among 100,000") {
  measure_trending(bench, 100'000, 20'000);
}
BENCHMARK("trending-1m", "500 most clicked of 20,000 clicked items among 1,000,000") {
  measure_trending(bench, 1'000'000, 20'000);
}
BENCHMARK("trending-1m-all", "500 most clicked of 200,000 clicked items among 1,000,000") {
  measure_trending(bench, 1'000'000, 200'000);
}
BENCHMARK("fresh-100k", "500 newest of 100,000 items written in no order") {
  measure_fresh(bench, 100'000);
}
BENCHMARK("fresh-1m", "500 newest of 1,000,000 items written in no order") {
  measure_fresh(bench, 1'000'000);
}
BENCHMARK("generation-1m",
          "five generators over 1,000,000 x 64, with helping threads and without") {
  compare(bench, 1'000'000);
}
