// Slices of readers and groups of items, against sums over everything that was recorded.

#include "features/slice_monitor.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <random>
#include <thread>
#include <vector>

#include "check.h"
#include "features/slice_report.h"

namespace {

using namespace feedrank;

constexpr int64_t kHalfLifeMs = 12 * 3'600'000;
constexpr int64_t kStartMs = 1'700'000'000'000;
constexpr uint32_t kNone = StringTable::kNone;

SliceMonitor::Options options(uint32_t segment_values, uint32_t labels) {
  return {segment_values, labels, kHalfLifeMs};
}

SegmentCodes codes(std::initializer_list<uint8_t> values) {
  SegmentCodes made = kNoSegments;
  std::copy(values.begin(), values.end(), made.begin());
  return made;
}

/// Everything that one slice was given, kept for as long as the test runs.
struct Log {
  struct Score {
    int64_t at;
    double score;
  };
  std::vector<int64_t> impressions;
  std::vector<int64_t> clicks;
  std::vector<std::pair<int64_t, double>> exposure;
  std::vector<Score> scores;

  static double weight(int64_t at, int64_t now) {
    return std::exp2(-static_cast<double>(now - at) / static_cast<double>(kHalfLifeMs));
  }

  SliceSums sums(int64_t now) const {
    SliceSums sums;
    for (const int64_t at : impressions) sums.impressions += weight(at, now);
    for (const int64_t at : clicks) sums.clicks += weight(at, now);
    for (const auto& [at, amount] : exposure) sums.exposure += amount * weight(at, now);
    for (const Score& score : scores) sums.scored += weight(score.at, now);
    for (const Score& score : scores) {
      sums.mean += score.score * weight(score.at, now) / sums.scored;
    }
    for (const Score& score : scores) {
      const double apart = score.score - sums.mean;
      sums.squares += apart * apart * weight(score.at, now);
    }
    return sums;
  }
};

void expect_near(const SliceSums& found, const SliceSums& expected) {
  const auto close = [](double a, double b) {
    EXPECT_NEAR(a, b, 1e-9 * std::max(1.0, std::abs(b)));
  };
  close(found.impressions, expected.impressions);
  close(found.clicks, expected.clicks);
  close(found.exposure, expected.exposure);
  close(found.scored, expected.scored);
  if (expected.scored > 0) close(found.mean, expected.mean);
  close(found.squares, expected.squares);
}

/// A monitor and its oracle, fed with the same random stream.
struct Stream {
  explicit Stream(uint32_t seed) : random(seed) {}

  int64_t below(int64_t bound) {
    return static_cast<int64_t>(random() % static_cast<uint64_t>(bound));
  }
  /// A label's value: often none, seldom one of many.
  uint32_t value() {
    const int64_t kind = below(10);
    return kind == 0 ? kNone : static_cast<uint32_t>(kind < 9 ? below(4) : below(200));
  }

  Log& group(size_t label, uint32_t value) {
    auto& known = groups[label];
    if (known.size() == SliceMonitor::kMaxGroups && !known.contains(value)) return others[label];
    return known[value];
  }

  void step() {
    // Mostly forward, across many landmarks, sometimes back.
    at += below(40) == 0 ? 5 * kHalfLifeMs : below(kHalfLifeMs / 4) - kHalfLifeMs / 16;
    const SegmentCodes segments =
        codes({static_cast<uint8_t>(below(3)), static_cast<uint8_t>(below(2) == 0 ? 255 : 3)});
    std::vector<Log*> slices{&all};
    for (const uint8_t segment : segments) {
      if (segment != kNoSegment) slices.push_back(&by_segment[segment]);
    }
    if (below(2) == 0) {
      const std::vector<uint32_t> labels{value(), value()};
      const EventType type = std::vector{EventType::kImpression, EventType::kClick,
                                         EventType::kDwell}[static_cast<size_t>(below(3))];
      monitor.record_event(segments, labels, type, at);
      if (type == EventType::kDwell) return;
      latest = std::max(latest, at);
      const auto note = [&](Log& log) {
        (type == EventType::kClick ? log.clicks : log.impressions).push_back(at);
      };
      for (Log* log : slices) note(*log);
      for (size_t l = 0; l < 2; ++l) {
        if (labels[l] != kNone) note(group(l, labels[l]));
      }
      return;
    }
    latest = std::max(latest, at);
    const auto items = static_cast<size_t>(below(300));
    std::vector<uint32_t> labels;
    std::vector<double> scores;
    const double shift = below(2) == 0 ? 1e6 : 0;
    const bool scored = below(5) > 0;
    for (size_t i = 0; i < items; ++i) {
      const double score = shift + static_cast<double>(below(1000)) / 100;
      const double exposure = 1 / std::log2(static_cast<double>(i) + 2);
      const auto note = [&](Log& log) {
        log.exposure.emplace_back(at, exposure);
        if (scored) log.scores.push_back({at, score});
      };
      for (Log* log : slices) note(*log);
      for (size_t l = 0; l < 2; ++l) {
        labels.push_back(value());
        if (labels.back() != kNone) note(group(l, labels.back()));
      }
      if (scored) scores.push_back(score);
    }
    monitor.record_slate(segments, labels, scores, items, at, at);
  }

  std::mt19937_64 random;
  int64_t at = kStartMs;
  int64_t latest = at;
  SliceMonitor monitor{options(4, 2)};
  Log all;
  std::map<uint8_t, Log> by_segment;
  std::map<uint32_t, Log> groups[2];
  Log others[2];
};

bool same_bits(const SliceSums& a, const SliceSums& b) {
  return std::memcmp(&a, &b, sizeof(SliceSums)) == 0;
}

}  // namespace

TEST_CASE("a monitor's sums equal sums over everything that was recorded") {
  size_t kept_apart = 0;
  double other_exposure = 0;
  for (uint32_t seed = 1; seed <= 12; ++seed) {
    Stream stream(seed);
    for (int i = 0; i < 150; ++i) stream.step();
    for (const int64_t later : {int64_t{0}, kHalfLifeMs / 3, 40 * kHalfLifeMs}) {
      const int64_t now = stream.latest + later;
      const SliceMonitor::Reading reading = stream.monitor.read(now);
      EXPECT_EQ(reading.as_of, now);
      expect_near(reading.all, stream.all.sums(now));
      REQUIRE(reading.segments.size() == 4);
      for (uint8_t s = 0; s < 4; ++s)
        expect_near(reading.segments[s], stream.by_segment[s].sums(now));
      for (size_t l = 0; l < 2; ++l) {
        const SliceMonitor::Label& label = reading.labels[l];
        EXPECT_EQ(label.groups.size(), stream.groups[l].size());
        for (const auto& group : label.groups) {
          REQUIRE(stream.groups[l].contains(group.label_value));
          expect_near(group.sums, stream.groups[l][group.label_value].sums(now));
        }
        expect_near(label.other, stream.others[l].sums(now));
        kept_apart += label.groups.size();
        if (later == 0) other_exposure += label.other.exposure;
      }
    }
    // What is asked as of an instant that has passed is answered as of the latest one.
    EXPECT_EQ(stream.monitor.read(kStartMs - kHalfLifeMs).as_of, stream.latest);
  }
  EXPECT(kept_apart > 1000);
  EXPECT(other_exposure > 0);
}

TEST_CASE("the same stream gives the same bits") {
  Stream one(7);
  Stream two(7);
  for (int i = 0; i < 100; ++i) {
    one.step();
    two.step();
  }
  const auto a = one.monitor.read(one.latest);
  const auto b = two.monitor.read(two.latest);
  EXPECT(same_bits(a.all, b.all));
  for (size_t s = 0; s < a.segments.size(); ++s) EXPECT(same_bits(a.segments[s], b.segments[s]));
  REQUIRE(a.labels[0].groups.size() == b.labels[0].groups.size());
  for (size_t g = 0; g < a.labels[0].groups.size(); ++g) {
    EXPECT_EQ(a.labels[0].groups[g].label_value, b.labels[0].groups[g].label_value);
    EXPECT(same_bits(a.labels[0].groups[g].sums, b.labels[0].groups[g].sums));
  }
}

TEST_CASE("of a label's values the first 64 are kept apart, whatever their codes") {
  SliceMonitor monitor(options(0, 1));
  for (uint32_t i = 0; i < 100; ++i) {
    const uint32_t value = i * 128 + 5;  // many fall on one place of the table
    monitor.record_event(kNoSegments, {&value, 1}, EventType::kClick, kStartMs);
    monitor.record_event(kNoSegments, {&value, 1}, EventType::kClick, kStartMs);
  }
  const auto reading = monitor.read(kStartMs);
  REQUIRE(reading.labels[0].groups.size() == 64);
  for (uint32_t i = 0; i < 64; ++i) {
    EXPECT_EQ(reading.labels[0].groups[i].label_value, i * 128 + 5);
    EXPECT_NEAR(reading.labels[0].groups[i].sums.clicks, 2, 1e-12);
  }
  EXPECT_NEAR(reading.labels[0].other.clicks, 72, 1e-9);
  EXPECT_NEAR(reading.all.clicks, 200, 1e-9);
}

TEST_CASE("a slate far ahead of time is left out, and counted") {
  SliceMonitor monitor(options(1, 0));
  const double score = 1;
  const auto slate = [&](int64_t at, int64_t clock) {
    monitor.record_slate(codes({0}), {}, {&score, 1}, 1, at, clock);
  };
  slate(kStartMs, kStartMs);
  slate(kStartMs + 1000 * kHalfLifeMs, kStartMs);
  auto reading = monitor.read(kStartMs);
  EXPECT_NEAR(reading.segments[0].exposure, 1, 1e-12);
  EXPECT_EQ(reading.slates_ahead, 1U);
  EXPECT_EQ(reading.as_of, kStartMs);
  // Where event time is said to have come that far, it is not ahead any more.
  monitor.advance(kStartMs + 1000 * kHalfLifeMs);
  slate(kStartMs + 1000 * kHalfLifeMs, kStartMs);
  reading = monitor.read(kStartMs);
  EXPECT_NEAR(reading.segments[0].exposure, 1, 1e-12);
  EXPECT_EQ(reading.slates_ahead, 1U);
  EXPECT_EQ(reading.as_of, kStartMs + 1000 * kHalfLifeMs);
}

TEST_CASE("scores of any size leave every sum finite") {
  SliceMonitor monitor(options(1, 1));
  const std::vector<uint32_t> labels{0, 1, 0, 1};
  const double huge = std::numeric_limits<double>::max();
  for (int i = 0; i < 1000; ++i) {
    const std::vector<double> scores{huge, -huge, -huge, 5e-324};
    monitor.record_slate(codes({0}), labels, scores, 4, kStartMs + i * kHalfLifeMs / 100,
                         kStartMs + 1000 * kHalfLifeMs);
  }
  for (const int64_t later : {int64_t{0}, 100'000 * kHalfLifeMs}) {
    const auto reading = monitor.read(kStartMs + later);
    std::vector<SliceSums> groups;
    for (const auto& group : reading.labels[0].groups) groups.push_back(group.sums);
    for (const SliceSums& sums : groups) {
      EXPECT(std::isfinite(sums.mean));
      EXPECT(std::isfinite(sums.squares));
    }
    const SliceReport report = compare_slices(groups, reading.all);
    EXPECT(!std::isinf(report.gaps.mean_score));
    EXPECT(!std::isinf(report.gaps.score_disparity));
  }
}

TEST_CASE("threads lose nothing") {
  SliceMonitor monitor(options(2, 1));
  std::vector<std::thread> threads;
  for (uint8_t t = 0; t < 4; ++t) {
    threads.emplace_back([&monitor, t] {
      const std::vector<uint32_t> labels{0, 1, kNone};
      const std::vector<double> scores{3, 2, 1};
      for (int i = 0; i < 500; ++i) {
        const SegmentCodes segments = codes({static_cast<uint8_t>(t % 2)});
        monitor.record_slate(segments, labels, scores, 3, kStartMs, kStartMs);
        monitor.record_event(segments, {&labels[1], 1}, EventType::kImpression, kStartMs);
        if (i % 50 == 0) monitor.read(kStartMs);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto reading = monitor.read(kStartMs);
  const double slates = 2000;
  EXPECT_NEAR(reading.all.scored, 3 * slates, 1e-6);
  EXPECT_NEAR(reading.all.mean, 2, 1e-9);
  EXPECT_NEAR(reading.segments[0].impressions, slates / 2, 1e-6);
  for (const auto& group : reading.labels[0].groups) {
    EXPECT_NEAR(group.sums.impressions, group.label_value == 1 ? slates : 0, 1e-6);
    EXPECT_NEAR(group.sums.scored, slates, 1e-6);
    EXPECT_NEAR(group.sums.mean, group.label_value == 0 ? 3 : 2, 1e-9);
  }
}

TEST_CASE("gaps are those of the slices furthest apart") {
  //                     impressions clicks exposure scored mean squares
  const SliceSums all{400, 30, 50, 100, 2, 0};
  const std::vector<SliceSums> slices{
      {100, 10, 20, 40, 3, 60}, {200, 10, 5, 20, 1, 12}, {0, 10, 15, 40, 2, 1000}};
  const SliceReport report = compare_slices(slices, all);
  EXPECT_NEAR(report.values[0].click_through_rate, 0.1, 1e-12);
  EXPECT(std::isnan(report.values[2].click_through_rate));
  EXPECT_NEAR(report.values[1].exposure_share, 0.1, 1e-12);
  EXPECT_NEAR(report.values[0].score_deviation, std::sqrt(1.5), 1e-12);
  EXPECT_NEAR(report.gaps.click_through_rate, 0.05, 1e-12);
  EXPECT_NEAR(report.gaps.exposure_share, 0.3, 1e-12);
  EXPECT_NEAR(report.gaps.mean_score, 2, 1e-12);
  EXPECT_NEAR(report.gaps.score_disparity, 2 / std::sqrt(72.0 / 60.0), 1e-12);
}

TEST_CASE("what cannot be compared is not said") {
  const SliceSums nothing;
  const SliceSums some{10, 1, 2, 5, 3, 0};
  for (const auto& slices :
       {std::vector<SliceSums>{}, {some}, {nothing}, {nothing, nothing}, {some, nothing}}) {
    const SliceReport report = compare_slices(slices, some);
    EXPECT(std::isnan(report.gaps.click_through_rate));
    EXPECT(std::isnan(report.gaps.mean_score));
    EXPECT(std::isnan(report.gaps.score_disparity));
  }
  // Two alike have gaps of 0; without any spread a disparity has no unit to be measured in.
  const SliceReport alike = compare_slices(std::vector<SliceSums>{some, some}, some);
  EXPECT_EQ(alike.gaps.click_through_rate, 0.0);
  EXPECT_EQ(alike.gaps.mean_score, 0.0);
  EXPECT(std::isnan(alike.gaps.score_disparity));
}
