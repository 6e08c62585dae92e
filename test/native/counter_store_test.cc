#include "features/counter_store.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "check.h"
#include "features/counter.h"
#include "support.h"

namespace {

using namespace feedrank;
using namespace feedrank::testing;

constexpr int64_t kMinute = 60'000;
constexpr int64_t kHour = 60 * kMinute;
constexpr int64_t kDay = 24 * kHour;
constexpr int64_t kStart = 1'700'000'000'000;
const std::vector<int64_t> kHalfLives = {30 * kMinute, 3 * kHour, 48 * kHour};

struct Counted {
  Slot slot;
  Counter counter = Counter::kImpressions;
  int64_t at = 0;
  double amount = 1;
};

/// The definition, event by event: Σ amount · 2^(−max(0, now − at) / half-life).
double defined(const std::vector<Counted>& events, Slot slot, Counter counter, int64_t half_life,
               int64_t now) {
  double sum = 0;
  for (const Counted& event : events) {
    if (!(event.slot == slot) || event.counter != counter) continue;
    const auto age = static_cast<double>(std::max<int64_t>(0, now - event.at));
    sum += event.amount * std::pow(2.0, -age / static_cast<double>(half_life));
  }
  return sum;
}

void expect_as_defined(const CounterStore& store, const std::vector<Counted>& events,
                       uint32_t slots, int64_t now) {
  for (uint32_t s = 0; s < slots; ++s) {
    const CounterValues values = store.read({s, 0}, now);
    for (uint32_t h = 0; h < store.half_lives().size(); ++h) {
      for (uint32_t c = 0; c < kEngagementLanes; ++c) {
        const auto counter = static_cast<Counter>(c);
        const double expected =
            defined(events, {s, 0}, counter, store.half_lives()[h].half_life(), now);
        // Below 1e-280 a double has no 1e-9 of relative precision left to ask for.
        EXPECT_NEAR(values.at(lane_of(counter), h), expected, 1e-9 * expected + 1e-280);
      }
    }
  }
}

std::vector<Counted> random_events(Random& random, int count, uint32_t slots, int64_t span) {
  std::vector<Counted> events;
  for (int i = 0; i < count; ++i) {
    events.push_back({{static_cast<uint32_t>(random.below(slots)), 0},
                      static_cast<Counter>(random.below(kEngagementLanes)),
                      kStart + random.below(span),
                      random.chance(0.5) ? 1.0 : random.between(0.01, 600)});
  }
  std::sort(events.begin(), events.end(),
            [](const Counted& a, const Counted& b) { return a.at < b.at; });
  return events;
}

void add(CounterStore& store, const Counted& event) {
  count(store, event.slot, event.counter, event.at, event.amount);
}

}  // namespace

TEST_CASE(
    "counters that follow the events in order are what the definition says at every instant") {
  Random random(1);
  const std::vector<Counted> events = random_events(random, 2000, 12, 2 * kDay);
  CounterStore store(kHalfLives, kEngagementLanes);
  std::vector<Counted> so_far;
  for (const Counted& event : events) {
    store.advance(event.at);
    add(store, event);
    so_far.push_back(event);
    if (so_far.size() % 250 == 0) expect_as_defined(store, so_far, 12, event.at);
  }
  for (const int64_t later : {int64_t{1}, kHour, kDay, 30 * kDay}) {
    expect_as_defined(store, events, 12, kStart + 2 * kDay + later);
  }
}

TEST_CASE("shuffled events give the same counters to a billionth") {
  Random random(2);
  std::vector<Counted> events = random_events(random, 2000, 5, 20 * kDay);
  for (int round = 0; round < 3; ++round) {
    std::shuffle(events.begin(), events.end(), random.engine());
    CounterStore store(kHalfLives, kEngagementLanes);
    store.advance(kStart + 20 * kDay);
    for (const Counted& event : events) add(store, event);
    expect_as_defined(store, events, 5, kStart + 20 * kDay);
    expect_as_defined(store, events, 5, kStart + 21 * kDay + 12'345);
  }
}

TEST_CASE("the same events in the same order give the same bits") {
  Random random(3);
  std::vector<Counted> events = random_events(random, 3000, 40, 5 * kDay);
  std::shuffle(events.begin(), events.begin() + 500, random.engine());
  CounterStore first(kHalfLives, kEngagementLanes);
  CounterStore second(kHalfLives, kEngagementLanes);
  for (CounterStore* store : {&first, &second}) {
    for (size_t i = 0; i < events.size(); ++i) {
      // Time lags behind, so that some events are held back first.
      if (i % 7 == 0) store->advance(events[i].at - kMinute);
      add(*store, events[i]);
    }
    store->advance(kStart + 5 * kDay);
  }
  for (uint32_t s = 0; s < 40; ++s) {
    const CounterValues a = first.read({s, 0}, kStart + 6 * kDay);
    const CounterValues b = second.read({s, 0}, kStart + 6 * kDay);
    EXPECT(std::memcmp(a.values.data(), b.values.data(), sizeof(a.values)) == 0);
    EXPECT_EQ(a.first_seen, b.first_seen);
  }
}

TEST_CASE("an event after now weighs 1 until time has reached it, and counts once all along") {
  CounterStore store(kHalfLives, kEngagementLanes);
  store.advance(kStart);
  const std::vector<Counted> events = {{{3, 0}, Counter::kClicks, kStart + kHour, 2.0},
                                       {{3, 0}, Counter::kClicks, kStart - kHour, 1.0},
                                       {{3, 0}, Counter::kImpressions, kStart + 1, 1.0},
                                       {{4, 0}, Counter::kClicks, kStart + 3 * kHour, 5.0}};
  for (const Counted& event : events) add(store, event);
  expect_as_defined(store, events, 5, kStart);
  EXPECT_NEAR(store.read({4, 0}, kStart).at(lane_of(Counter::kClicks), 0), 5.0, 0);
  EXPECT_EQ(store.read({3, 0}, kStart).first_seen, kStart + 1);
  // Reading later than the clock says decays what is still held back, too.
  expect_as_defined(store, events, 5, kStart + 2 * kHour);
  for (int64_t now = kStart; now <= kStart + 5 * kHour; now += 20 * kMinute) {
    store.advance(now);
    expect_as_defined(store, events, 5, now);
  }
  store.advance(kStart);  // Time never goes back.
  expect_as_defined(store, events, 5, kStart + 5 * kHour);
}

TEST_CASE("random reads between random advances see held back events exactly once") {
  Random random(5);
  CounterStore store(kHalfLives, kEngagementLanes);
  std::vector<Counted> so_far;
  int64_t now = kStart;
  store.advance(now);
  for (int i = 0; i < 400; ++i) {
    const Counted event = {{static_cast<uint32_t>(random.below(3)), 0},
                           static_cast<Counter>(random.below(kEngagementLanes)),
                           now + random.below(40 * kMinute) - 20 * kMinute,
                           random.between(0.5, 2)};
    add(store, event);
    so_far.push_back(event);
    if (random.chance(0.4)) store.advance(now += random.below(15 * kMinute));
    if (i % 10 == 0) expect_as_defined(store, so_far, 3, now);
  }
}

TEST_CASE("counters stay exact while their landmarks move over months") {
  Random random(6);
  const std::vector<Counted> events = random_events(random, 3000, 3, 300 * kDay);
  CounterStore store(kHalfLives, kEngagementLanes);
  std::vector<Counted> so_far;
  for (size_t i = 0; i < events.size(); ++i) {
    store.advance(events[i].at);
    add(store, events[i]);
    so_far.push_back(events[i]);
    if (i % 500 == 499) expect_as_defined(store, so_far, 3, events[i].at + kMinute);
  }
  // One that comes months late, after all landmarks have moved, is as small as it should be.
  so_far.push_back({{1, 0}, Counter::kClicks, kStart + 2 * kDay, 1e6});
  add(store, so_far.back());
  expect_as_defined(store, so_far, 3, kStart + 300 * kDay);
}

TEST_CASE("instants before 1970 count like any other") {
  CounterStore store(kHalfLives, kEngagementLanes);
  store.advance(0);
  std::vector<Counted> events;
  for (int64_t at = -5 * kDay; at <= 0; at += 7 * kHour) {
    events.push_back({{0, 0}, Counter::kImpressions, at, 1.0});
    add(store, events.back());
  }
  expect_as_defined(store, events, 1, 0);
  EXPECT_EQ(store.read({0, 0}, 0).first_seen, -5 * kDay);
}

TEST_CASE("an instant before an item's last event is read as of that event") {
  CounterStore store(kHalfLives, kEngagementLanes);
  store.advance(kStart);
  count(store, {0, 0}, Counter::kClicks, kStart - kHour, 4.0);
  count(store, {0, 0}, Counter::kClicks, kStart, 1.0);
  const double then = store.read({0, 0}, kStart).at(lane_of(Counter::kClicks), 1);
  EXPECT_EQ(store.read({0, 0}, kStart - 10 * kHour).at(lane_of(Counter::kClicks), 1), then);
}

TEST_CASE("first seen is the time of the earliest impression and of nothing else") {
  CounterStore store(kHalfLives, kEngagementLanes);
  store.advance(kStart);
  EXPECT_EQ(store.read({0, 0}, kStart).first_seen, INT64_MAX);
  count(store, {0, 0}, Counter::kClicks, kStart - 100, 1.0);
  EXPECT_EQ(store.read({0, 0}, kStart).first_seen, INT64_MAX);
  count(store, {0, 0}, Counter::kImpressions, kStart - 50, 1.0);
  count(store, {0, 0}, Counter::kImpressions, kStart - 70, 1.0);
  count(store, {0, 0}, Counter::kImpressions, kStart - 60, 1.0);
  EXPECT_EQ(store.read({0, 0}, kStart).first_seen, kStart - 70);
}

TEST_CASE("the item that has a slot next starts from nothing") {
  CounterStore store(kHalfLives, kEngagementLanes);
  store.advance(kStart);
  count(store, {9, 0}, Counter::kImpressions, kStart - 5, 3.0);
  EXPECT_EQ(store.read({9, 1}, kStart).at(lane_of(Counter::kImpressions), 0), 0.0);
  EXPECT_EQ(store.read({9, 1}, kStart).first_seen, INT64_MAX);
  count(store, {9, 1}, Counter::kClicks, kStart, 1.0);
  EXPECT_EQ(store.read({9, 1}, kStart).at(lane_of(Counter::kImpressions), 0), 0.0);
  EXPECT_NEAR(store.read({9, 1}, kStart).at(lane_of(Counter::kClicks), 0), 1.0, 1e-12);
  EXPECT_EQ(store.read({9, 0}, kStart).at(lane_of(Counter::kImpressions), 0), 0.0);
}

TEST_CASE(
    "an event of the item that had a slot before leaves the counters of its next item alone") {
  CounterStore store(kHalfLives, kEngagementLanes);
  store.advance(kStart);
  count(store, {9, 0}, Counter::kImpressions, kStart + kMinute, 1.0);  // held back
  count(store, {9, 1}, Counter::kClicks, kStart, 1.0);
  count(store, {9, 0}, Counter::kImpressions, kStart, 1.0);
  store.advance(kStart + kMinute);
  const CounterValues values = store.read({9, 1}, kStart + kMinute);
  EXPECT_NEAR(values.at(lane_of(Counter::kClicks), 2), 1.0, 1e-3);
  EXPECT_EQ(values.at(lane_of(Counter::kImpressions), 2), 0.0);
}

TEST_CASE("comparable values order items as their decayed counters do") {
  Random random(7);
  constexpr uint32_t kSlots = 300;
  const std::vector<Counted> events = random_events(random, 2000, kSlots - 5, 60 * kDay);
  CounterStore store(kHalfLives, kEngagementLanes);
  const int64_t now = kStart + 60 * kDay;
  store.advance(now);
  for (const Counted& event : events) add(store, event);
  const CounterStore::Scan scan(store);
  for (uint32_t h = 0; h < kHalfLives.size(); ++h) {
    const int64_t reference = store.half_lives()[h].landmark_of(now);
    for (int i = 0; i < 20'000; ++i) {
      const Slot a{static_cast<uint32_t>(random.below(kSlots)), 0};
      const Slot b{static_cast<uint32_t>(random.below(kSlots)), 0};
      const double x = scan.comparable(a, lane_of(Counter::kClicks), h, reference);
      const double y = scan.comparable(b, lane_of(Counter::kClicks), h, reference);
      const double x_read = scan.read(a, now).at(lane_of(Counter::kClicks), h);
      const double y_read = scan.read(b, now).at(lane_of(Counter::kClicks), h);
      if (x_read > y_read * (1 + 1e-9)) EXPECT(x > y);
      if (x_read == 0) EXPECT(x < 1e-290);
    }
  }
  EXPECT_EQ(scan.comparable({kSlots + 5000, 0}, lane_of(Counter::kClicks), 0, 0), 0.0);
  EXPECT_EQ(scan.comparable({0, 1}, lane_of(Counter::kClicks), 0, 0), 0.0);
}

TEST_CASE("half-lives are checked, and memory is taken only for slots that have events") {
  EXPECT_EQ(error_code([] { CounterStore store(std::vector<int64_t>{}, kEngagementLanes); }),
            "INVALID_ARGUMENT");
  EXPECT_EQ(
      error_code([] { CounterStore store(std::vector<int64_t>(9, kHour), kEngagementLanes); }),
      "INVALID_ARGUMENT");
  EXPECT_EQ(error_code([] { CounterStore store(std::vector<int64_t>{999}, kEngagementLanes); }),
            "INVALID_ARGUMENT");
  CounterStore store(std::vector<int64_t>(8, kHour), kEngagementLanes);
  EXPECT_EQ(store.bytes(), 0U);
  store.advance(kStart);
  count(store, {100'000, 0}, Counter::kClicks, kStart, 1.0);
  const size_t one = store.bytes();
  EXPECT(one > 0);
  count(store, {100'001, 0}, Counter::kClicks, kStart, 1.0);
  EXPECT_EQ(store.bytes(), one);
  EXPECT_EQ(store.read({50, 0}, kStart).at(lane_of(Counter::kClicks), 7), 0.0);
}
