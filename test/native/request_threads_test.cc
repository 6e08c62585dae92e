// Requests on several threads while others write items and events.

#include <atomic>
#include <set>
#include <thread>
#include <vector>

#include "check.h"
#include "request_support.h"
#include "runtime/executor.h"

namespace {

using namespace feedrank;
using namespace feedrank::testing;

constexpr int64_t kIds = 200;

TestItem item_of(int64_t id, int64_t version) {
  return {id,
          kNowMs - id * 60'000 + version,
          "author " + std::to_string(id % 9),
          {"topic " + std::to_string(id % 5)},
          {{static_cast<float>(id % 11 - 5), 1}},
          {static_cast<double>(id * 1000 + version % 1000)}};
}

World busy_world() {
  World world;
  world.add_generator("fresh", GeneratorStage::Kind::kFresh, 60);
  world.add_generator("trending", GeneratorStage::Kind::kTrending, 60);
  world.add_generator("similar", GeneratorStage::Kind::kDecayedDot, 60);
  world.add_filter("seen", FilterStage::Kind::kSeen);
  world.add_filter("age", FilterStage::Kind::kMaximumAge);
  world.plan.features.features.push_back(
      {FeatureSource::kClickThroughRate, Transformation::kLog1p, {}, 0, 0});
  world.plan.features.features.push_back({FeatureSource::kDot, {}, {}, 0, 0});
  world.query.user_vectors = {{0, 2, {1, 0.5F}}};
  world.query.user = UserId("ann");
  world.query.limit = 20;
  world.settings.limits.per_author = 4;
  std::vector<TestItem> items;
  for (int64_t id = 0; id < kIds; ++id) items.push_back(item_of(id, 0));
  upsert(*world.catalog, items);
  return world;
}

/// The id that a row's columns speak of, −1 where they contradict one another.
bool consistent(const Request& request, size_t candidate) {
  const Row row = request.candidates().rows[candidate];
  const int64_t id = id_of(request, candidate);
  const Chunk& chunk = request.snapshot().chunk_of(row);
  const uint32_t offset = Snapshot::offset_of(row);
  const auto quality = static_cast<int64_t>(chunk.columns(offset)[0]);
  const float feature =
      request.candidates().features[candidate * request.candidates().feature_count];
  return quality / 1000 == id && static_cast<int64_t>(feature) == quality &&
         chunk.vector(0, offset)[0] == static_cast<float>(id % 11 - 5);
}

}  // namespace

TEST_CASE("requests answer soundly while items and events are written") {
  World world = busy_world();
  std::atomic<int> requesting{2};
  std::atomic<int> wrong{0};
  std::atomic<int> removed{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 150; ++i) {
        const auto request = world.done();
        const auto& order = request->order();
        std::set<int64_t> ids;
        for (const uint32_t position : order) ids.insert(id_of(*request, position));
        if (ids.size() != order.size() || order.size() > 20) ++wrong;
        for (size_t c = 0; c < request->candidates().size(); ++c) {
          if (!consistent(*request, c)) ++wrong;
        }
        for (size_t p = 1; p < order.size(); ++p) {
          if (request->candidates().scores[order[p - 1]] < request->candidates().scores[order[p]]) {
            ++wrong;
          }
        }
        removed += static_cast<int>(request->trace().removed_meanwhile);
      }
      --requesting;
    });
  }
  threads.emplace_back([&] {
    Random random(1);
    for (int64_t version = 1; requesting > 0; ++version) {
      std::vector<TestItem> items;
      std::vector<ItemId> gone;
      std::set<int64_t> chosen;
      for (int i = 0; i < 20; ++i) chosen.insert(random.below(kIds));
      for (const int64_t id : chosen) {
        items.push_back(item_of(id, version));
        if (random.chance(0.3)) gone.emplace_back(id);
      }
      upsert(*world.catalog, items);
      remove(*world.catalog, gone);
    }
  });
  threads.emplace_back([&] {
    Random random(2);
    for (int64_t now = kNowMs; requesting > 0; now += 10) {
      std::vector<Event> events;
      for (int i = 0; i < 10; ++i) {
        const auto type = static_cast<EventType>(random.below(3));
        events.push_back(event(type, random.chance(0.01) ? "ann" : "bob", random.below(kIds),
                               now - random.below(1000) + 500, 1000));
      }
      world.engagement->record(events, now);
      if (random.chance(0.2)) world.engagement->users().forget("ann");
    }
  });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong.load(), 0);
}

TEST_CASE("a request that idle threads help answers as it does alone") {
  World world = busy_world();
  world.plan.generators.clear();
  world.settings.quotas.clear();
  world.add_generator("fresh", GeneratorStage::Kind::kFresh, 3000);
  world.settings.max_candidates = 3000;
  std::vector<TestItem> items;
  for (int64_t id = kIds; id < 3000; ++id) items.push_back(item_of(id, 0));
  upsert(*world.catalog, items);
  Executor helpers({3, 16, {}});
  const auto alone = world.done();
  EXPECT_EQ(alone->candidates().size(), 3000U);
  for (int i = 0; i < 20; ++i) {
    const auto helped = world.request();
    REQUIRE(helped->run(
                {}, [] { return false; }, &helpers) == Request::State::kDone);
    EXPECT(helped->candidates().rows == alone->candidates().rows);
    EXPECT(helped->candidates().features == alone->candidates().features);
    EXPECT_EQ(slate_of(*helped), slate_of(*alone));
  }
}

TEST_CASE("a request that begins after a write returned sees that write") {
  World world;
  world.add_generator("fresh", GeneratorStage::Kind::kFresh, 5);
  std::atomic<int> missed{0};
  std::vector<std::thread> threads;
  for (int64_t t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      for (int64_t i = 1; i <= 100; ++i) {
        const int64_t id = t * 1000 + i;
        upsert(*world.catalog, {{id, kNowMs + id, "", {}, {}, {1}}});
        World own = world;
        own.query.list = std::vector<ItemId>{id};
        if (slate_of(*own.done()) != std::to_string(id)) ++missed;
        remove(*world.catalog, {id});
        if (!own.done()->order().empty()) ++missed;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(missed.load(), 0);
}
