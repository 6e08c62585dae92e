// Requests of one plan that wait: retrieved in one pass, with the answers that each has alone.

#include "slate/rank_queue.h"

#include <atomic>
#include <latch>
#include <stdexcept>

#include "check.h"
#include "request_support.h"

namespace {

using namespace feedrank;
using namespace feedrank::testing;
using Kind = GeneratorStage::Kind;

/// Keeps how many queries came in each pass, and fails where it is told to.
class CountingRetriever final : public Retriever {
 public:
  std::vector<std::vector<Retrieved>> retrieve(const Snapshot& snapshot, uint32_t space,
                                               std::span<const RetrievalQuery> queries,
                                               Executor* helpers) const override {
    {
      std::scoped_lock lock(mutex_);
      passes_.push_back(queries.size());
    }
    if (fails && queries.size() > 1) throw std::runtime_error("no room");
    return all_.retrieve(snapshot, space, queries, helpers);
  }
  std::vector<size_t> passes() const {
    std::scoped_lock lock(mutex_);
    return passes_;
  }

  bool fails = false;

 private:
  BruteForceRetriever all_;
  mutable std::mutex mutex_;
  mutable std::vector<size_t> passes_;
};

struct Ranking {
  World world;
  std::shared_ptr<CountingRetriever> counting = std::make_shared<CountingRetriever>();
  std::shared_ptr<RankQueue> queue = std::make_shared<RankQueue>();
  std::shared_ptr<BudgetController> controller;

  Ranking() {
    world.retriever = counting;
    world.add_generator("similar", Kind::kDecayedDot, 20);
    world.add_generator("fresh", Kind::kFresh, 5);
    world.settings.budget_ms = Settings::kNoBudget;
    world.settings.max_candidates = 20;
    Random random(3);
    std::vector<TestItem> items;
    for (int64_t id = 0; id < 300; ++id) {
      items.push_back({id,
                       kNowMs - random.below(40) * kHourMs,
                       "",
                       {},
                       {{static_cast<float>(random.below(9) - 4), 1}},
                       {static_cast<double>(random.below(10))}});
    }
    upsert(*world.catalog, items);
    controller = std::make_shared<BudgetController>(world.plan.tier_count());
  }

  /// Requests differ in what they ask for; every fifth knows no reader.
  std::shared_ptr<Request> request(int number) {
    Query query = world.query;
    Settings settings = world.settings;
    if (number % 5 != 4) {
      query.user_vectors = {{0, 2, {0.1F * static_cast<float>(number), 1}}};
      if (number % 3 == 0) query.user_vectors.front().values = {1, 0, -1, 0.5F};
    }
    query.limit = 3 + static_cast<uint32_t>(number % 4);
    settings.tau_ms = (1.0 + number) * kHourMs;
    return std::make_shared<Request>(world.engagement, plan, world.retriever, query, settings,
                                     controller);
  }

  std::shared_ptr<const Plan> plan;
};

/// Runs requests that all wait before the first is taken; says their answers.
std::vector<std::string> run_waiting(
    Ranking& ranking, int count, uint32_t threads, const std::function<void()>& meanwhile = [] {}) {
  ranking.plan = std::make_shared<const Plan>(ranking.world.plan);
  std::vector<std::string> answers(static_cast<size_t>(count));
  std::latch done(count);
  Executor executor({threads, 1000, {}});
  std::latch entered(threads);
  std::latch opened(1);
  for (uint32_t t = 0; t < threads; ++t) {
    executor.submit([&] {
      entered.count_down();
      opened.wait();
    });
  }
  entered.wait();
  for (int i = 0; i < count; ++i) {
    const auto request = ranking.request(i);
    ranking.queue->submit(executor, request, [&, request, i] {
      run(*request);
      answers[static_cast<size_t>(i)] = answer_of(*request);
      done.count_down();
    });
  }
  meanwhile();
  opened.count_down();
  done.wait();
  return answers;
}

std::vector<std::string> run_alone(Ranking& ranking, int count) {
  ranking.plan = std::make_shared<const Plan>(ranking.world.plan);
  std::vector<std::string> answers;
  for (int i = 0; i < count; ++i) {
    const auto request = ranking.request(i);
    run(*request);
    answers.push_back(answer_of(*request));
  }
  return answers;
}

}  // namespace

TEST_CASE("requests that wait are retrieved in one pass, with the answers that each has alone") {
  Ranking together;
  Ranking alone;
  EXPECT(run_waiting(together, 10, 1) == run_alone(alone, 10));
  // Two of ten know no reader, and four have two vectors.
  EXPECT(together.counting->passes() == std::vector<size_t>{11});
  EXPECT_EQ(alone.counting->passes().size(), 8U);
}

TEST_CASE("at most sixteen go together, and threads share what waits") {
  Ranking one;
  run_waiting(one, 40, 1);
  EXPECT_EQ(one.counting->passes().size(), 3U);
  Ranking two;
  const auto answers = run_waiting(two, 12, 2);
  EXPECT(two.counting->passes().size() >= 2);
  Ranking alone;
  EXPECT(answers == run_alone(alone, 12));
}

TEST_CASE("a pass that fails is made good by each request alone") {
  Ranking failing;
  failing.counting->fails = true;
  Ranking alone;
  const auto answers = run_waiting(failing, 6, 1);
  // A request with two vectors cannot be retrieved for at all by this retriever.
  alone.counting->fails = true;
  EXPECT(answers == run_alone(alone, 6));
}

TEST_CASE("what is retrieved together sees every write that came before") {
  Ranking ranking;
  const auto answers = run_waiting(ranking, 3, 1, [&] {
    upsert(*ranking.world.catalog, {{999, kNowMs, "", {}, {{9, 9}}, {1000}}});
  });
  for (const std::string& answer : answers) EXPECT(answer.find("| 999 ") != std::string::npos);
}

TEST_CASE("no request is lost, whoever comes when") {
  Ranking ranking;
  ranking.plan = std::make_shared<const Plan>(ranking.world.plan);
  constexpr int kSubmitters = 3;
  constexpr int kEach = 150;
  std::atomic<int> answered{0};
  std::latch done(kSubmitters * kEach);
  Executor executor({4, 10'000, {}});
  std::vector<std::thread> submitters;
  for (int s = 0; s < kSubmitters; ++s) {
    submitters.emplace_back([&, s] {
      for (int i = 0; i < kEach; ++i) {
        const auto request = ranking.request(s + i);
        ranking.queue->submit(executor, request, [&, request] {
          if (run(*request) == Request::State::kDone) ++answered;
          done.count_down();
        });
        if (i % 20 == 0) std::this_thread::yield();
      }
    });
  }
  for (std::thread& submitter : submitters) submitter.join();
  done.wait();
  EXPECT_EQ(answered.load(), kSubmitters * kEach);
}

TEST_CASE("a queue that ends with its executor lets go of what waits") {
  const auto held = std::make_shared<int>(0);
  Ranking ranking;
  ranking.plan = std::make_shared<const Plan>(ranking.world.plan);
  {
    Executor executor({1, 100, {}});
    std::latch entered(1);
    executor.submit([&] {
      entered.count_down();
      for (int i = 0; i < 1000; ++i) std::this_thread::yield();
    });
    entered.wait();
    for (int i = 0; i < 20; ++i) ranking.queue->submit(executor, ranking.request(i), [held] {});
  }
  ranking.queue.reset();
  EXPECT_EQ(held.use_count(), 1);
}

TEST_CASE("a full queue refuses, and the request does not wait") {
  Ranking ranking;
  ranking.plan = std::make_shared<const Plan>(ranking.world.plan);
  std::atomic<int> ran{0};
  std::latch opened(1);
  std::latch entered(1);
  std::latch done(2);
  Executor executor({1, 2, {}});
  executor.submit([&] {
    entered.count_down();
    opened.wait();
  });
  entered.wait();
  const auto submit = [&] {
    ranking.queue->submit(executor, ranking.request(ran), [&] {
      ++ran;
      done.count_down();
    });
  };
  submit();
  submit();
  EXPECT_EQ(error_code(submit), "OVERLOADED");
  opened.count_down();
  done.wait();
  EXPECT_EQ(ran.load(), 2);
}
