#include "features/event_gate.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "check.h"
#include "support.h"

namespace {

using namespace feedrank;
using namespace feedrank::testing;
using Verdict = EventGate::Verdict;

}  // namespace

TEST_CASE("an event id counts once, whatever the time of the repetition") {
  EventGate gate(1000);
  EXPECT(gate.judge(5000, "a") == Verdict::kAccept);
  EXPECT(gate.judge(5000, "a") == Verdict::kDuplicate);
  EXPECT(gate.judge(5500, "a") == Verdict::kDuplicate);
  EXPECT(gate.judge(4500, "a") == Verdict::kDuplicate);
  EXPECT(gate.judge(5000, "b") == Verdict::kAccept);
}

TEST_CASE("events without an id all count") {
  EventGate gate(1000);
  for (int i = 0; i < 5; ++i) EXPECT(gate.judge(5000, "") == Verdict::kAccept);
  EXPECT_EQ(gate.remembered(), 0U);
}

TEST_CASE("an event is late exactly when it is older than the bound") {
  EventGate gate(1000);
  EXPECT(gate.judge(-7000, "first") == Verdict::kAccept);
  EXPECT(gate.judge(5000, "") == Verdict::kAccept);
  EXPECT(gate.judge(4000, "on the bound") == Verdict::kAccept);
  EXPECT(gate.judge(3999, "") == Verdict::kLate);
  EXPECT(gate.judge(3999, "past it") == Verdict::kLate);
  // An event that was dropped was not counted, so it is not remembered either.
  EXPECT(gate.judge(5000, "past it") == Verdict::kAccept);
}

TEST_CASE("with a bound of 0 only the newest instant is on time") {
  EventGate gate(0);
  EXPECT(gate.judge(10, "a") == Verdict::kAccept);
  EXPECT(gate.judge(10, "a") == Verdict::kDuplicate);
  EXPECT(gate.judge(9, "b") == Verdict::kLate);
  EXPECT(gate.judge(11, "b") == Verdict::kAccept);
  EXPECT(gate.judge(10, "a") == Verdict::kLate);
}

TEST_CASE("dropped events do not move event time") {
  EventGate gate(1000);
  gate.judge(5000, "a");
  EXPECT(gate.judge(5900, "a") == Verdict::kDuplicate);
  EXPECT(gate.judge(4100, "") == Verdict::kAccept);
}

TEST_CASE("memory is bounded by the bound on lateness") {
  EventGate gate(60'000);
  size_t most = 0;
  for (int64_t at = 0; at < 400'000; ++at) {
    gate.judge(at, "event " + std::to_string(at));
    most = std::max(most, gate.remembered());
  }
  // 60,001 instants are on time; ids may outlive them by as long again.
  EXPECT(most >= 60'001 && most <= 2 * 60'001);
  gate.judge(10'000'000, "much later");
  EXPECT_EQ(gate.remembered(), 1U);
}

TEST_CASE("a stream with repetitions and stragglers counts each id exactly once") {
  Random random(1);
  EventGate gate(500);
  std::map<int64_t, int64_t> at_of;
  std::set<int64_t> counted;
  int64_t newest = INT64_MIN;
  int64_t clock = 0;
  for (int i = 0; i < 50'000; ++i) {
    clock += random.below(3);
    const int64_t id = random.chance(0.3) ? random.below(i + 1) : i;
    const int64_t at = at_of.emplace(id, clock - random.below(700)).first->second;
    const bool late = newest != INT64_MIN && at < newest - 500;
    const Verdict expected = late                   ? Verdict::kLate
                             : counted.contains(id) ? Verdict::kDuplicate
                                                    : Verdict::kAccept;
    EXPECT(gate.judge(at, "id " + std::to_string(id)) == expected);
    if (expected == Verdict::kAccept) {
      counted.insert(id);
      newest = std::max(newest, at);
    }
  }
}
