#include "features/user_store.h"

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "check.h"
#include "support.h"

namespace {

using namespace feedrank;
using namespace feedrank::testing;

constexpr int64_t kNow = 1'700'000'000'000;
constexpr int64_t kDay = 86'400'000;

UserStore::Limits limits(uint32_t users, uint32_t shown, uint32_t reads = 10) {
  return {users, shown, reads, 30 * kDay};
}

/// What was known to be read before an event made a first read known; {-1} where it did not.
std::vector<int64_t> record(UserStore& store, const UserId& user, EventType type, Slot slot,
                            int64_t at = kNow) {
  std::vector<UserStore::Read> earlier;
  if (!store.record(event(type, user, 0, at), slot, earlier)) return {-1};
  std::vector<int64_t> slots;
  for (const auto& read : earlier) slots.push_back(read.slot.index);
  return slots;
}

template <typename Entry>
const Entry* find(const std::vector<Entry>& entries, Slot slot) {
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [slot](const auto& entry) { return entry.slot == slot; });
  return found == entries.end() ? nullptr : &*found;
}

std::vector<int64_t> reads_of(const UserStore& store, const UserId& user, int64_t now = kNow) {
  std::vector<int64_t> slots;
  for (const auto& read : store.state(user, now).reads) slots.push_back(read.slot.index);
  return slots;
}

}  // namespace

TEST_CASE("what a reader was shown, has read and has hidden is kept per item") {
  UserStore store(limits(10, 10));
  record(store, "ann", EventType::kImpression, {1, 0}, kNow - 5);
  record(store, "ann", EventType::kImpression, {1, 0}, kNow - 9);
  record(store, "ann", EventType::kClick, {2, 0});
  record(store, "ann", EventType::kRead, {4, 0}, kNow - kDay);
  record(store, "bob", EventType::kImpression, {3, 0});
  record(store, "bob", EventType::kReport, {3, 0});
  record(store, "bob", EventType::kHide, {5, 0});
  const auto ann = store.state("ann", kNow);
  REQUIRE(ann.shown.size() == 1 && find(ann.shown, {1, 0}) != nullptr);
  EXPECT_EQ(find(ann.shown, {1, 0})->times, 2);
  EXPECT_EQ(find(ann.shown, {1, 0})->last, kNow - 5);
  EXPECT(!find(ann.shown, {1, 0})->hidden);
  EXPECT_EQ(text(reads_of(store, "ann")), text(std::vector<int64_t>{4, 2}));
  const auto bob = store.state("bob", kNow);
  REQUIRE(bob.shown.size() == 2);
  EXPECT(find(bob.shown, {3, 0})->hidden && find(bob.shown, {3, 0})->times == 1);
  EXPECT(find(bob.shown, {5, 0})->hidden && find(bob.shown, {5, 0})->times == 0);
  EXPECT(store.state("carol", kNow).shown.empty() && store.state("carol", kNow).reads.empty());
}

TEST_CASE("a first read makes known what was read before it, and a repeated one does not") {
  UserStore store(limits(10, 10, 3));
  EXPECT_EQ(text(record(store, "a", EventType::kClick, {1, 0}, kNow - 30)), "");
  EXPECT_EQ(text(record(store, "a", EventType::kClick, {2, 0}, kNow - 20)), "1");
  EXPECT_EQ(text(record(store, "a", EventType::kClick, {1, 0}, kNow - 10)), "-1");
  EXPECT_EQ(text(record(store, "a", EventType::kDwell, {3, 0}, kNow - 25)), "2 1");
  EXPECT_EQ(text(reads_of(store, "a")), "3 2 1");
  // Full, and older than all that is there: not kept, so it makes nothing known.
  EXPECT_EQ(text(record(store, "a", EventType::kClick, {9, 0}, kNow - 99)), "-1");
  EXPECT_EQ(text(reads_of(store, "a")), "3 2 1");
  EXPECT_EQ(text(record(store, "a", EventType::kClick, {4, 0}, kNow)), "3 2 1");
  EXPECT_EQ(text(reads_of(store, "a")), "2 1 4");
}

TEST_CASE("seconds of dwells add up and the furthest scroll counts") {
  UserStore store(limits(10, 10));
  std::vector<UserStore::Read> earlier;
  Event dwell = event(EventType::kDwell, "a", 0, kNow, 2500);
  dwell.scrolled = 0.75;
  store.record(event(EventType::kClick, "a", 0, kNow - 5000), {1, 0}, earlier);
  store.record(dwell, {1, 0}, earlier);
  dwell.scrolled = 0.25;
  store.record(dwell, {1, 0}, earlier);
  const auto reads = store.state("a", kNow).reads;
  REQUIRE(reads.size() == 1);
  EXPECT_NEAR(reads[0].dwell_seconds, 5.0, 1e-6);
  EXPECT_NEAR(reads[0].scrolled, 0.75, 1e-6);
  EXPECT_EQ(reads[0].at, kNow);
}

TEST_CASE("events of other types leave no trace of the reader") {
  UserStore store(limits(10, 10));
  record(store, "ann", EventType::kOther, {1, 0});
  EXPECT_EQ(store.size(), 0U);
}

TEST_CASE("user ids of the two kinds never mix") {
  UserStore store(limits(10, 10));
  record(store, 1, EventType::kClick, {1, 0});
  EXPECT(store.state("1", kNow).reads.empty());
  EXPECT_EQ(store.state(1, kNow).reads.size(), 1U);
}

TEST_CASE("two items that had one slot in turn are told apart") {
  UserStore store(limits(10, 10));
  record(store, "ann", EventType::kImpression, {1, 0});
  record(store, "ann", EventType::kImpression, {1, 1});
  const auto state = store.state("ann", kNow);
  EXPECT_EQ(state.shown.size(), 2U);
  REQUIRE(find(state.shown, {1, 1}) != nullptr);
  EXPECT_EQ(find(state.shown, {1, 1})->times, 1);
}

TEST_CASE("the reader who was active longest ago is given up first") {
  UserStore store(limits(3, 10));
  for (const char* user : {"a", "b", "c"}) record(store, user, EventType::kImpression, {1, 0});
  record(store, "a", EventType::kClick, {1, 0});
  store.state("b", kNow);  // Being looked at is not being active.
  record(store, "d", EventType::kImpression, {1, 0});
  EXPECT_EQ(store.size(), 3U);
  EXPECT(store.state("b", kNow).shown.empty());
  for (const char* user : {"a", "c", "d"}) EXPECT(!store.state(user, kNow).shown.empty());
}

TEST_CASE("of one reader the item that was shown longest ago is given up first, hidden ones last") {
  UserStore store(limits(3, 3));
  record(store, "a", EventType::kHide, {9, 0}, kNow - 100);
  for (uint32_t i = 1; i <= 2; ++i)
    record(store, "a", EventType::kImpression, {i, 0}, kNow - 50 + i);
  record(store, "a", EventType::kImpression, {1, 0}, kNow - 10);
  record(store, "a", EventType::kImpression, {4, 0}, kNow);
  const auto shown = store.state("a", kNow).shown;
  EXPECT_EQ(shown.size(), 3U);
  EXPECT(find(shown, {2, 0}) == nullptr);
  EXPECT(find(shown, {9, 0}) != nullptr);
  REQUIRE(find(shown, {1, 0}) != nullptr);
  EXPECT_EQ(find(shown, {1, 0})->times, 2);
}

TEST_CASE("the smallest bounds hold one reader and one item of each sort") {
  UserStore store(limits(1, 1, 1));
  for (uint32_t i = 0; i < 50; ++i) {
    const std::string user = "user " + std::to_string(i % 3);
    record(store, user, EventType::kClick, {i, 0}, kNow + i);
    record(store, user, EventType::kImpression, {i, 0}, kNow + i);
    EXPECT_EQ(store.size(), 1U);
    const auto state = store.state(user, kNow + i);
    REQUIRE(state.shown.size() == 1 && state.reads.size() == 1);
    EXPECT_EQ(state.shown.front().slot.index, i);
    EXPECT_EQ(state.reads.front().slot.index, i);
  }
}

TEST_CASE("impressions are counted up to a ceiling and do not wrap around") {
  UserStore store(limits(1, 1));
  for (int i = 0; i < 70'000; ++i) record(store, "a", EventType::kImpression, {1, 0});
  EXPECT_EQ(store.state("a", kNow).shown.front().times, 65'535);
}

TEST_CASE("a reader who is forgotten is a stranger") {
  UserStore store(limits(2, 2));
  record(store, "a", EventType::kClick, {1, 0});
  record(store, "b", EventType::kClick, {1, 0});
  EXPECT(store.forget("a"));
  EXPECT(!store.forget("a"));
  EXPECT(store.state("a", kNow).reads.empty());
  EXPECT_EQ(store.size(), 1U);
  record(store, "c", EventType::kClick, {1, 0});
  EXPECT_EQ(store.size(), 2U);
  EXPECT(!store.state("b", kNow).reads.empty());
}

TEST_CASE("what is older than the time to live is as if it had never been") {
  UserStore store({10, 10, 10, kDay});
  record(store, "a", EventType::kClick, {1, 0}, kNow - kDay - 1);
  record(store, "a", EventType::kImpression, {2, 0}, kNow - kDay - 1);
  record(store, "b", EventType::kClick, {1, 0}, kNow - kDay - 1);
  record(store, "a", EventType::kClick, {3, 0}, kNow - kDay);
  EXPECT_EQ(text(reads_of(store, "a")), "3");
  EXPECT(store.state("a", kNow).shown.empty());
  EXPECT(store.state("b", kNow).reads.empty());
  EXPECT_EQ(store.size(), 2U);
  record(store, "b", EventType::kHide, {4, 0}, kNow - kDay - 1);
  record(store, "b", EventType::kImpression, {4, 0}, kNow);
  EXPECT_EQ(store.state("b", kNow).shown.front().times, 1);
  EXPECT(!store.state("b", kNow).shown.front().hidden);
  store.forget("b");
  store.expire(kNow);
  EXPECT_EQ(store.size(), 1U);
  store.expire(kNow + kDay);
  EXPECT_EQ(store.size(), 0U);
  record(store, "c", EventType::kClick, {1, 0}, kNow + kDay);
  EXPECT_EQ(text(reads_of(store, "c", kNow + kDay)), "1");
}

TEST_CASE("memory stays where it is once the bound of readers is reached") {
  UserStore store(limits(500, 4, 4));
  const auto fill = [&store](int64_t from) {
    for (int64_t user = from; user < from + 2000; ++user) {
      for (uint32_t i = 0; i < 4; ++i) {
        record(store, user, EventType::kImpression, {i, 0});
        record(store, user, EventType::kClick, {i, 0});
      }
    }
  };
  fill(0);
  const size_t bytes = store.bytes();
  fill(2000);
  EXPECT_EQ(store.size(), 500U);
  EXPECT_EQ(store.bytes(), bytes);
}

TEST_CASE("threads that record, look up and forget keep within the bounds") {
  UserStore store(limits(20, 5, 5));
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      Random random(t);
      for (int i = 0; i < 3000; ++i) {
        const UserId user = random.below(40);
        const Slot slot{static_cast<uint32_t>(random.below(30)), 0};
        record(store, user, random.chance(0.5) ? EventType::kImpression : EventType::kClick, slot,
               kNow + i);
        const auto state = store.state(user, kNow + i);
        if (state.shown.size() > 5 || state.reads.size() > 5 || store.size() > 20) ++wrong;
        if (random.chance(0.05)) store.forget(user);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong.load(), 0);
}
