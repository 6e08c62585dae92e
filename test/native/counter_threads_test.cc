#include <atomic>
#include <cmath>
#include <thread>
#include <vector>

#include "check.h"
#include "features/counter.h"
#include "features/counter_store.h"
#include "support.h"

namespace {

using namespace feedrank;
using namespace feedrank::testing;

// At instants near 0 these weigh every event exactly 1 to a billionth.
const std::vector<int64_t> kLong = {int64_t{1} << 50, int64_t{1} << 51, int64_t{1} << 52};
constexpr int kSlots = 6;

Slot slot(int64_t i) {
  // Far apart, so that blocks come into being while others read.
  return {static_cast<uint32_t>(i) * 700, 0};
}

}  // namespace

TEST_CASE("a reader sees every item as it stood between two writes") {
  CounterStore store(kLong, kEngagementLanes);
  store.advance(0);
  std::atomic<bool> writing{true};
  std::atomic<int> torn{0};
  std::vector<std::thread> readers;
  for (uint64_t r = 0; r < 2; ++r) {
    readers.emplace_back([&, r] {
      Random random(r);
      std::vector<double> least(kSlots, 0);
      while (writing) {
        const int64_t s = random.below(kSlots);
        const CounterValues values = store.read(slot(s), 0);
        const double shown = values.at(lane_of(Counter::kImpressions), 0);
        const double clicks = values.at(lane_of(Counter::kClicks), 0);
        bool whole = (shown == clicks || shown == clicks + 1) && shown == std::floor(shown);
        for (uint32_t h = 1; h < kLong.size(); ++h) {
          whole = whole && values.at(lane_of(Counter::kImpressions), h) == shown &&
                  values.at(lane_of(Counter::kClicks), h) == clicks;
        }
        whole = whole && (values.first_seen == 0) == (shown > 0);
        whole = whole && shown >= least[static_cast<size_t>(s)];
        least[static_cast<size_t>(s)] = shown;
        if (!whole) ++torn;
      }
    });
  }
  for (int64_t i = 0; i < 30'000; ++i) {
    count(store, slot(i % kSlots), Counter::kImpressions, 0, 1.0);
    count(store, slot(i % kSlots), Counter::kClicks, 0, 1.0);
  }
  writing = false;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(torn.load(), 0);
  EXPECT_EQ(store.read(slot(1), 0).at(lane_of(Counter::kClicks), 2), 5000.0);
}

TEST_CASE("an event that waits for its time is seen once, also while it is counted in") {
  CounterStore store(kLong, kEngagementLanes);
  store.advance(0);
  constexpr int64_t kEvents = 4000;
  std::atomic<int64_t> added{0};
  std::atomic<bool> writing{true};
  std::atomic<int> wrong{0};
  std::vector<std::thread> readers;
  for (int r = 0; r < 2; ++r) {
    readers.emplace_back([&] {
      while (writing) {
        const int64_t least = added;
        const double count = store.read(slot(1), 0).at(lane_of(Counter::kClicks), 0);
        const int64_t most = added + 1;
        if (count < static_cast<double>(least) - 1e-3) ++wrong;
        if (count > static_cast<double>(most) + 1e-3) ++wrong;
      }
    });
  }
  for (int64_t i = 1; i <= kEvents; ++i) {
    count(store, slot(1), Counter::kClicks, i + 3, 1.0);
    added = i;
    store.advance(i);
  }
  writing = false;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(wrong.load(), 0);
}

TEST_CASE("several writers lose no event") {
  CounterStore store(kLong, kEngagementLanes);
  store.advance(0);
  std::vector<std::thread> writers;
  for (int w = 0; w < 3; ++w) {
    writers.emplace_back([&] {
      for (int i = 0; i < 3000; ++i) count(store, slot(i % kSlots), Counter::kDwells, 0, 2.0);
    });
  }
  for (std::thread& writer : writers) writer.join();
  for (int s = 0; s < kSlots; ++s) {
    EXPECT_EQ(store.read(slot(s), 0).at(lane_of(Counter::kDwells), 1), 3000.0);
  }
}
