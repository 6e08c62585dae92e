#include "runtime/executor.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <latch>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "check.h"
#include "support.h"

namespace {

using namespace feedrank;
using namespace feedrank::testing;

/// Occupies one thread of an executor until it is opened.
class Gate {
 public:
  explicit Gate(Executor& executor) {
    executor.submit([this] {
      entered_.count_down();
      opened_.wait();
    });
    entered_.wait();
  }
  void open() { opened_.count_down(); }

 private:
  std::latch entered_{1};
  std::latch opened_{1};
};

}  // namespace

TEST_CASE("an executor runs every job, on threads that were readied first") {
  std::mutex mutex;
  std::set<std::thread::id> readied;
  std::atomic<int> unready{0};
  std::atomic<int> ran{0};
  std::latch done(500);
  Executor executor({3, 1000, [&] {
                       std::scoped_lock lock(mutex);
                       readied.insert(std::this_thread::get_id());
                     }});
  EXPECT_EQ(executor.threads(), 3U);
  for (int i = 0; i < 500; ++i) {
    executor.submit([&] {
      {
        std::scoped_lock lock(mutex);
        if (!readied.contains(std::this_thread::get_id())) ++unready;
      }
      ++ran;
      done.count_down();
    });
  }
  done.wait();
  EXPECT_EQ(ran.load(), 500);
  EXPECT_EQ(unready.load(), 0);
}

TEST_CASE("a full queue refuses at once, and takes jobs again when there is room") {
  std::atomic<int> ran{0};
  std::latch done(4);
  Executor executor({1, 3, {}});
  Gate gate(executor);
  const auto job = [&] {
    ++ran;
    done.count_down();
  };
  for (int i = 0; i < 3; ++i) executor.submit(job);
  EXPECT_EQ(executor.queued(), 3U);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(error_code([&] { executor.submit(job); }), "OVERLOADED");
  gate.open();
  while (error_code([&] { executor.submit(job); }) != "none") std::this_thread::yield();
  done.wait();
  EXPECT_EQ(ran.load(), 4);
}

TEST_CASE("threads stand back from the one that made their executor, whatever its priority") {
  const auto priority = [] {
    return getpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)));
  };
  int own = 0;
  int found = 0;
  // In a thread of its own: no other test should run at the priority that this one takes.
  std::thread([&] {
    const auto thread = static_cast<id_t>(syscall(SYS_gettid));
    (void)setpriority(PRIO_PROCESS, thread, priority() + 3);
    own = priority();
    std::promise<int> answer;
    Executor executor({1});
    executor.submit([&] { answer.set_value(priority()); });
    found = answer.get_future().get();
  }).join();
  EXPECT_EQ(found, std::min(19, own + Executor::Options{}.nice));
}

TEST_CASE("a job may submit another one") {
  Executor executor({1, 1, {}});
  std::promise<int> answer;
  executor.submit([&] { executor.submit([&] { answer.set_value(7); }); });
  EXPECT_EQ(answer.get_future().get(), 7);
}

TEST_CASE("an executor that ends drops what is queued and waits for what runs") {
  std::atomic<bool> finished{false};
  std::atomic<int> ran{0};
  const auto held = std::make_shared<int>(0);
  {
    Executor executor({1, 100, {}});
    std::latch entered(1);
    executor.submit([&] {
      entered.count_down();
      for (int i = 0; i < 1000; ++i) std::this_thread::yield();
      finished = true;
    });
    entered.wait();
    for (int i = 0; i < 50; ++i) executor.submit([&ran, held] { ++ran; });
  }
  EXPECT(finished.load());
  // What was dropped gave back what it held, and nothing ran twice.
  EXPECT_EQ(held.use_count(), 1);
  EXPECT(ran.load() <= 50);
}

TEST_CASE("a strand runs its jobs one at a time in the order they came, beside other strands") {
  Executor executor({4, 10'000, {}});
  constexpr int kStrands = 3;
  constexpr int kJobs = 1000;
  struct Lane {
    std::shared_ptr<Strand> strand;
    std::vector<int> order;  // Guarded by nothing but the strand.
    std::atomic<int> inside{0};
    std::atomic<int> overlaps{0};
  };
  std::vector<Lane> lanes(kStrands);
  std::latch done(kStrands * kJobs);
  for (Lane& lane : lanes) lane.strand = std::make_shared<Strand>(executor);
  for (int i = 0; i < kJobs; ++i) {
    for (Lane& lane : lanes) {
      lane.strand->submit([&lane, &done, i] {
        if (lane.inside.fetch_add(1) != 0) ++lane.overlaps;
        lane.order.push_back(i);
        lane.inside.fetch_sub(1);
        done.count_down();
      });
    }
  }
  done.wait();
  for (Lane& lane : lanes) {
    EXPECT_EQ(lane.overlaps.load(), 0);
    bool in_order = lane.order.size() == kJobs;
    for (int i = 0; in_order && i < kJobs; ++i) in_order = lane.order[static_cast<size_t>(i)] == i;
    EXPECT(in_order);
  }
}

TEST_CASE("each thread's jobs keep their order where several threads submit to one strand") {
  constexpr int kJobs = 500;
  Executor executor({3, 10'000, {}});
  const auto strand = std::make_shared<Strand>(executor);
  std::vector<std::pair<int, int>> order;
  std::latch done(3 * kJobs);
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kJobs; ++i) {
        strand->submit([&, t, i] {
          order.emplace_back(t, i);
          done.count_down();
        });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  done.wait();
  std::vector<int> next(3, 0);
  for (const auto& [t, i] : order) EXPECT_EQ(next[static_cast<size_t>(t)]++, i);
}

TEST_CASE("a strand refuses at the limit, and what it took runs though the executor is full") {
  Executor executor({1, 2, {}});
  const auto strand = std::make_shared<Strand>(executor);
  Gate gate(executor);
  std::vector<int> order;
  std::latch done(4);
  executor.submit([&] { done.count_down(); });
  executor.submit([&] { done.count_down(); });
  for (int i = 0; i < 2; ++i) {
    strand->submit([&, i] {
      order.push_back(i);
      done.count_down();
    });
  }
  EXPECT_EQ(error_code([&] { strand->submit([] {}); }), "OVERLOADED");
  gate.open();
  done.wait();
  EXPECT(order == std::vector<int>({0, 1}));
}

TEST_CASE("a strand's jobs and what else is queued take turns") {
  Executor executor({1, 100, {}});
  const auto strand = std::make_shared<Strand>(executor);
  Gate gate(executor);
  std::string order;
  std::latch done(7);
  for (int i = 0; i < 4; ++i) {
    executor.submit([&] {
      order += 'q';
      done.count_down();
    });
  }
  for (int i = 0; i < 3; ++i) {
    strand->submit([&] {
      order += 's';
      done.count_down();
    });
  }
  EXPECT_EQ(executor.queued(), 5U);
  gate.open();
  done.wait();
  EXPECT_EQ(order, "sqsqsqq");
}

TEST_CASE("a strand and what it queued end with the executor, without a leak") {
  const auto held = std::make_shared<int>(0);
  std::weak_ptr<Strand> watched;
  for (int round = 0; round < 20; ++round) {
    auto executor = std::make_unique<Executor>(Executor::Options{2, 1000, {}});
    auto strand = std::make_shared<Strand>(*executor);
    watched = strand;
    for (int i = 0; i < 200; ++i) strand->submit([held] {});
    if (round % 2 == 0) strand.reset();
    executor.reset();
    strand.reset();
    EXPECT(watched.expired());
    EXPECT_EQ(held.use_count(), 1);
  }
}
