#include "slate/quality_control.h"

#include <limits>
#include <random>

#include "check.h"

namespace {

using namespace feedrank;

/// The share of requests that keep their promise where they do so while a uniform number in [0, 1)
/// stays below 1.5 − q: q has to settle within its bounds.
double share_kept(double percentile) {
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> uniform;
  QualityControl control;
  int kept = 0;
  constexpr int kRequests = 200'000;
  for (int i = 0; i < kRequests; ++i) {
    const bool keeps = uniform(random) < 1.5 - control.value();
    control.record(keeps, percentile);
    if (keeps) ++kept;
    if (control.value() < QualityControl::kLeast || control.value() > 1) return -1;
  }
  return 100.0 * kept / kRequests;
}

}  // namespace

TEST_CASE("the quality factor settles where the percentile is held") {
  EXPECT_NEAR(share_kept(99), 99, 0.1);
  EXPECT_NEAR(share_kept(90), 90, 0.3);
  EXPECT_NEAR(share_kept(60), 60, 0.5);
}

TEST_CASE("the quality factor stays within its bounds") {
  QualityControl control;
  EXPECT_EQ(control.value(), 1.0);
  control.record(true, 99);
  EXPECT_EQ(control.value(), 1.0);
  for (int i = 0; i < 100; ++i) control.record(false, 99.9);
  EXPECT_EQ(control.value(), QualityControl::kLeast);
  for (int i = 0; i < 534; ++i) control.record(true, 99);
  EXPECT_EQ(control.value(), 1.0);
}

TEST_CASE("a percentile that is none changes nothing") {
  QualityControl control;
  control.record(false, 99);
  const double before = control.value();
  for (const double bad : {0.0, 100.0, -1.0, std::numeric_limits<double>::quiet_NaN()}) {
    control.record(false, bad);
    control.record(true, bad);
  }
  EXPECT_EQ(control.value(), before);
}
