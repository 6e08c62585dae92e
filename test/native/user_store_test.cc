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

const UserStore::Shown* find(const std::vector<UserStore::Shown>& shown, Slot slot) {
  const auto found = std::find_if(shown.begin(), shown.end(),
                                  [slot](const auto& entry) { return entry.slot == slot; });
  return found == shown.end() ? nullptr : &*found;
}

}  // namespace

TEST_CASE("what a reader was shown and has read is kept per item") {
  UserStore store({10, 10});
  store.record("ann", EventType::kImpression, {1, 0});
  store.record("ann", EventType::kImpression, {1, 0});
  store.record("ann", EventType::kClick, {2, 0});
  store.record("ann", EventType::kDwell, {1, 0});
  store.record("bob", EventType::kImpression, {3, 0});
  const auto shown = store.shown("ann");
  REQUIRE(shown.size() == 2 && find(shown, {1, 0}) != nullptr && find(shown, {2, 0}) != nullptr);
  EXPECT_EQ(find(shown, {1, 0})->times, 2);
  EXPECT(find(shown, {1, 0})->read);
  EXPECT_EQ(find(shown, {2, 0})->times, 0);
  EXPECT(find(shown, {2, 0})->read);
  EXPECT(!store.shown("bob").front().read);
  EXPECT(store.shown("carol").empty());
}

TEST_CASE("events that are neither showing nor reading leave no trace of the reader") {
  UserStore store({10, 10});
  for (const auto type : {EventType::kHide, EventType::kReport, EventType::kOther}) {
    store.record("ann", type, {1, 0});
  }
  EXPECT_EQ(store.size(), 0U);
}

TEST_CASE("user ids of the two kinds never mix") {
  UserStore store({10, 10});
  store.record(1, EventType::kClick, {1, 0});
  EXPECT(store.shown("1").empty());
  EXPECT_EQ(store.shown(1).size(), 1U);
}

TEST_CASE("two items that had one slot in turn are told apart") {
  UserStore store({10, 10});
  store.record("ann", EventType::kClick, {1, 0});
  store.record("ann", EventType::kImpression, {1, 1});
  const auto shown = store.shown("ann");
  REQUIRE(shown.size() == 2 && find(shown, {1, 1}) != nullptr);
  EXPECT(!find(shown, {1, 1})->read);
}

TEST_CASE("the reader who was active longest ago is given up first") {
  UserStore store({3, 10});
  for (const char* user : {"a", "b", "c"}) store.record(user, EventType::kImpression, {1, 0});
  store.record("a", EventType::kClick, {1, 0});
  store.shown("b");  // Being looked at is not being active.
  store.record("d", EventType::kImpression, {1, 0});
  EXPECT_EQ(store.size(), 3U);
  EXPECT(store.shown("b").empty());
  EXPECT(!store.shown("a").empty() && !store.shown("c").empty() && !store.shown("d").empty());
}

TEST_CASE("of one reader the item that was touched longest ago is given up first") {
  UserStore store({3, 3});
  for (uint32_t i = 1; i <= 3; ++i) store.record("a", EventType::kImpression, {i, 0});
  store.record("a", EventType::kImpression, {1, 0});
  store.record("a", EventType::kImpression, {4, 0});
  const auto shown = store.shown("a");
  EXPECT_EQ(shown.size(), 3U);
  EXPECT(find(shown, {2, 0}) == nullptr);
  REQUIRE(find(shown, {1, 0}) != nullptr);
  EXPECT_EQ(find(shown, {1, 0})->times, 2);
}

TEST_CASE("the smallest bounds hold one reader and one item") {
  UserStore store({1, 1});
  for (uint32_t i = 0; i < 50; ++i) {
    store.record("user " + std::to_string(i % 3), EventType::kClick, {i, 0});
    EXPECT_EQ(store.size(), 1U);
    const auto shown = store.shown("user " + std::to_string(i % 3));
    REQUIRE(shown.size() == 1);
    EXPECT_EQ(shown.front().slot.index, i);
  }
}

TEST_CASE("impressions are counted up to a ceiling and do not wrap around") {
  UserStore store({1, 1});
  for (int i = 0; i < 70'000; ++i) store.record("a", EventType::kImpression, {1, 0});
  EXPECT_EQ(store.shown("a").front().times, 65'535);
}

TEST_CASE("a reader who is forgotten is a stranger") {
  UserStore store({2, 2});
  store.record("a", EventType::kClick, {1, 0});
  store.record("b", EventType::kClick, {1, 0});
  EXPECT(store.forget("a"));
  EXPECT(!store.forget("a"));
  EXPECT(store.shown("a").empty());
  EXPECT_EQ(store.size(), 1U);
  store.record("c", EventType::kClick, {1, 0});
  EXPECT_EQ(store.size(), 2U);
  EXPECT(!store.shown("b").empty());
}

TEST_CASE("threads that record, look up and forget keep within the bounds") {
  UserStore store({20, 5});
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      Random random(t);
      for (int i = 0; i < 3000; ++i) {
        const UserId user = random.below(40);
        store.record(user, EventType::kImpression, {static_cast<uint32_t>(random.below(30)), 0});
        if (store.shown(user).size() > 5 || store.size() > 20) ++wrong;
        if (random.chance(0.05)) store.forget(user);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong.load(), 0);
}
