// Generators of one request side by side: the same answer as one after another.

#include <atomic>
#include <latch>
#include <stdexcept>
#include <thread>

#include "check.h"
#include "request_support.h"
#include "runtime/executor.h"

namespace {

using namespace feedrank;
using namespace feedrank::testing;
using Kind = GeneratorStage::Kind;

/// More rows than the least for which threads are asked for help.
constexpr int64_t kItems = 20'000;

World large_world() {
  Random random(1);
  World world;
  std::vector<TestItem> items;
  for (int64_t id = 0; id < kItems; ++id) {
    items.push_back({id,
                     kNowMs - random.below(40) * kHourMs,
                     "author " + std::to_string(random.below(50)),
                     {"topic " + std::to_string(random.below(20))},
                     {{static_cast<float>(random.below(9) - 4), 1}},
                     {static_cast<double>(random.below(100))}});
  }
  upsert(*world.catalog, items);
  std::vector<Event> events;
  for (int64_t i = 0; i < 5000; ++i) {
    events.push_back(event(EventType::kClick, i % 40, random.below(300), kNowMs));
  }
  world.engagement->record(events, kNowMs);
  world.add_generator("similar", Kind::kDecayedDot, 100);
  world.add_generator("trending", Kind::kTrending, 50);
  world.add_generator("fresh", Kind::kFresh, 100);
  world.add_generator("followed", Kind::kFollowed, 30);
  world.add_generator("co-read", Kind::kCoRead, 100);
  world.query.user = UserId(int64_t{3});
  world.query.user_vectors = {{0, 2, {1, 0.5F}}};
  world.query.follows.topics = {"topic 3"};
  world.settings.max_candidates = 200;
  return world;
}

class ThrowingRetriever final : public Retriever {
 public:
  std::vector<std::vector<Retrieved>> retrieve(const Snapshot&, uint32_t,
                                               std::span<const RetrievalQuery>,
                                               Executor*) const override {
    throw std::runtime_error("out of memory\nframe #0");
  }
};

}  // namespace

TEST_CASE("requests answer the same with idle threads, with busy ones and without any") {
  const World world = large_world();
  const std::string expected = answer_of(*world.done());
  Executor executor({3, 1024, {}});
  for (int round = 0; round < 30; ++round) {
    const auto request = world.request();
    EXPECT(request->run(
               {}, [] { return false; }, &executor) == Request::State::kDone);
    EXPECT_EQ(answer_of(*request), expected);
  }
  // From the executor's own threads, more of them than there are threads.
  std::atomic<int> different{0};
  std::latch done(60);
  for (int i = 0; i < 60; ++i) {
    executor.submit([&] {
      const auto request = world.request();
      request->run(
          {}, [] { return false; }, &executor);
      if (answer_of(*request) != expected) ++different;
      done.count_down();
    });
  }
  done.wait();
  EXPECT_EQ(different.load(), 0);
}

TEST_CASE("requests side by side with helpers while others write") {
  World world = large_world();
  Executor executor({3, 1024, {}});
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    Random random(9);
    for (int64_t version = 0; !stop.load(); ++version) {
      const int64_t id = random.below(kItems);
      if (version % 5 == 0) remove(*world.catalog, {ItemId(id)});
      upsert(*world.catalog, {{id, kNowMs - version, "author 1", {"topic 3"}, {{2, 1}}, {1}}});
      const Event click = event(EventType::kClick, version % 40, id, kNowMs);
      world.engagement->record({&click, 1}, kNowMs);
    }
  });
  std::atomic<int> wrong{0};
  std::latch done(40);
  for (int i = 0; i < 40; ++i) {
    executor.submit([&] {
      const auto request = world.request();
      request->run(
          {}, [] { return false; }, &executor);
      const auto& rows = request->candidates().rows;
      for (const Row row : rows) {
        if (!request->snapshot().visible(row)) ++wrong;
      }
      if (rows.size() != 200) ++wrong;
      done.count_down();
    });
  }
  done.wait();
  stop = true;
  writer.join();
  EXPECT_EQ(wrong.load(), 0);
}

TEST_CASE("a native generator that fails is passed over, or fails the request") {
  World world = large_world();
  world.retriever = std::make_shared<ThrowingRetriever>();
  Executor executor({2, 16, {}});
  for (Executor* helpers : {&executor, static_cast<Executor*>(nullptr)}) {
    world.plan.generators[0].fail_closed = false;
    const auto request = world.request();
    EXPECT(request->run(
               {}, [] { return false; }, helpers) == Request::State::kDone);
    EXPECT_EQ(stage_of(*request, "similar").skipped, "stage 'similar' failed: out of memory");
    EXPECT_EQ(request->candidates().size(), 200U);
    world.plan.generators[0].fail_closed = true;
    EXPECT_EQ(error_code([&] {
                world.request()->run(
                    {}, [] { return false; }, helpers);
              }),
              "STAGE_FAILED");
  }
}

TEST_CASE("the trace says how much of what a generator found was kept") {
  World world;
  world.add_items(10);
  world.add_generator("fresh", Kind::kFresh, 6);
  world.add_generator("similar", Kind::kDecayedDot, 6);
  world.query.user_vectors = {{0, 2, {1, 0}}};
  world.settings.max_candidates = 4;
  const auto request = world.done();
  EXPECT_EQ(stage_of(*request, "fresh").out, 6U);
  const StageTrace merge = stage_of(*request, "merge");
  REQUIRE(merge.notes.size() == 2);
  EXPECT_EQ(merge.notes[0], "fresh: kept 4 of 6");
  EXPECT_EQ(merge.notes[1], "similar: kept 4 of 6");
  world.settings.max_candidates = 10;
  EXPECT(stage_of(*world.done(), "merge").notes.empty());
}
