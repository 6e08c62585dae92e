#include "runtime/parallel.h"

#include <atomic>
#include <functional>
#include <latch>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "check.h"
#include "support.h"

namespace {

using namespace feedrank;

/// How often each of `count` tasks was called.
std::vector<int> calls(Executor* executor, uint32_t count) {
  std::vector<std::atomic<int>> counted(count);
  run_in_parallel(executor, count, [&](uint32_t number) { ++counted[number]; });
  std::vector<int> plain;
  for (const auto& calls : counted) plain.push_back(calls.load());
  return plain;
}

}  // namespace

TEST_CASE("every task is called once, with helpers and without") {
  Executor executor({3, 16, {}});
  for (const uint32_t count : {0U, 1U, 2U, 3U, 50U}) {
    EXPECT(calls(nullptr, count) == std::vector<int>(count, 1));
    EXPECT(calls(&executor, count) == std::vector<int>(count, 1));
  }
}

TEST_CASE("idle threads take tasks: two that wait for one another both end") {
  Executor executor({2, 16, {}});
  for (int round = 0; round < 100; ++round) {
    while (executor.idle() == 0) std::this_thread::yield();
    std::latch both(2);
    run_in_parallel(&executor, 2, [&](uint32_t) { both.arrive_and_wait(); });
  }
}

TEST_CASE("an executor without an idle thread takes no such job, and nobody waits for one") {
  Executor executor({1, 16, {}});
  std::latch entered(1);
  std::latch opened(1);
  executor.submit([&] {
    entered.count_down();
    opened.wait();
  });
  entered.wait();
  EXPECT(!executor.submit_if_idle([] {}));
  EXPECT_EQ(executor.queued(), 0U);
  // With its only thread busy this would never end if it waited for help.
  EXPECT(calls(&executor, 8) == std::vector<int>(8, 1));
  opened.count_down();
}

TEST_CASE("what is queued counts against the idle threads") {
  Executor executor({1, 16, {}});
  std::latch entered(1);
  std::latch opened(1);
  std::atomic<int> ran{0};
  executor.submit([&] {
    entered.count_down();
    opened.wait();
  });
  entered.wait();
  executor.submit([&] { ++ran; });
  EXPECT(!executor.submit_if_idle([&] { ran += 100; }));
  opened.count_down();
  while (ran.load() == 0) std::this_thread::yield();
  EXPECT_EQ(ran.load(), 1);
}

TEST_CASE("it may be called from the executor's own threads, all of them at once") {
  Executor executor({3, 64, {}});
  std::latch done(30);
  std::atomic<int> ran{0};
  for (int job = 0; job < 30; ++job) {
    executor.submit([&] {
      run_in_parallel(&executor, 7, [&](uint32_t) { ++ran; });
      done.count_down();
    });
  }
  done.wait();
  EXPECT_EQ(ran.load(), 30 * 7);
}

TEST_CASE("an exception reaches the caller, of several the first task's, after all have ended") {
  Executor executor({2, 16, {}});
  for (Executor* helpers : {&executor, static_cast<Executor*>(nullptr)}) {
    for (int round = 0; round < 50; ++round) {
      std::atomic<int> ended{0};
      std::string caught;
      try {
        run_in_parallel(helpers, 6, [&](uint32_t number) {
          ++ended;
          if (number % 2 == 1) throw std::runtime_error("task " + std::to_string(number));
        });
      } catch (const std::runtime_error& error) {
        caught = error.what();
      }
      EXPECT_EQ(caught, "task 1");
      EXPECT_EQ(ended.load(), 6);
    }
  }
}

TEST_CASE("helpers that come late touch nothing of a call that has returned") {
  Executor executor({4, 64, {}});
  std::atomic<int> sum{0};
  for (int round = 0; round < 2000; ++round) {
    // On the heap and gone after the call: a late touch is a use after free.
    auto values = std::make_unique<std::vector<int>>(3, 1);
    const auto task = std::make_unique<std::function<void(uint32_t)>>(
        [values = values.get(), &sum](uint32_t number) { sum += (*values)[number]; });
    run_in_parallel(&executor, 3, *task);
  }
  EXPECT_EQ(sum.load(), 6000);
}
