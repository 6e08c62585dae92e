// A ranker that looks on: how its order is compared with the one that answered, and what it may not
// change.

#include <cmath>
#include <limits>
#include <random>

#include "check.h"
#include "ranking/scripted_network.h"
#include "request_support.h"
#include "slate/rank_agreement.h"
#include "slate/shadow_log.h"
#include "temporary_folder.h"

namespace {

using namespace feedrank;
using namespace feedrank::testing;
using GeneratorKind = GeneratorStage::Kind;

/// By the definition: over all pairs.
double tau_over_pairs(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  double untied_a = 0;
  double untied_b = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      const auto sign = [](double x) { return static_cast<double>((x > 0) - (x < 0)); };
      sum += sign(a[i] - a[j]) * sign(b[i] - b[j]);
      untied_a += a[i] != a[j] ? 1 : 0;
      untied_b += b[i] != b[j] ? 1 : 0;
    }
  }
  return sum / std::sqrt(untied_a * untied_b);
}

/// `factor` times the item's quality, by a model.
std::shared_ptr<Model> times(const TemporaryFolder& folder, float factor) {
  ScriptedNetwork network{{0}, {1}, {{1, 1, {factor}, {0}}}};
  save_scripted_network(network, folder.path("model.pt"));
  return std::make_shared<Model>(
      ModelOptions{folder.bytes("model.pt"), "model.pt", 1, {"click"}, 1});
}

/// A world with a shadow that reads the quality as a column of its own, which nobody fills for it.
World shadowed_world(const TemporaryFolder& folder, float factor) {
  World world;
  world.add_generator("fresh", GeneratorKind::kFresh);
  world.add_items(6);
  world.plan.more_features = 1;
  SmallerRanker shadow;
  shadow.features = world.plan.features;
  shadow.feature_columns = {1};
  shadow.stage.name = "shadow";
  shadow.stage.kind = RankerStage::Kind::kModel;
  shadow.stage.model = times(folder, factor);
  shadow.stage.columns = {1};
  shadow.stage.terms = {"click"};
  world.plan.smaller.push_back(shadow);
  world.settings.shadow = 0;
  world.settings.shadow_weights = {1};
  world.query.limit = 2;
  return world;
}

ShadowLog::Report report_of(const World& world) { return world.plan.smaller[0].log->report(); }

}  // namespace

TEST_CASE("tau-b is what its definition says, with ties and without") {
  std::mt19937 random(5);
  for (const int values : {2, 3, 10, 1000}) {
    for (const size_t n : {2U, 3U, 17U, 64U}) {
      std::vector<double> a(n);
      std::vector<double> b(n);
      std::uniform_int_distribution<int> draw(0, values);
      for (size_t i = 0; i < n; ++i) {
        a[i] = draw(random);
        b[i] = draw(random) + (i % 3 == 0 ? a[i] : 0);
      }
      const double expected = tau_over_pairs(a, b);
      const double got = kendall_tau_b(a, b);
      if (std::isnan(expected)) {
        EXPECT(std::isnan(got));
      } else {
        EXPECT_NEAR(got, expected, 1e-12);
      }
    }
  }
  EXPECT_EQ(kendall_tau_b(std::vector<double>{1, 2, 3}, std::vector<double>{5, 6, 9}), 1.0);
  EXPECT_EQ(kendall_tau_b(std::vector<double>{1, 2, 3}, std::vector<double>{3, 2, 1}), -1.0);
  EXPECT(std::isnan(kendall_tau_b(std::vector<double>{1, 1}, std::vector<double>{1, 2})));
  EXPECT(std::isnan(kendall_tau_b({}, {})));
}

TEST_CASE("the overlap of two tops") {
  const std::vector<uint32_t> a{3, 1, 0, 2};
  const std::vector<uint32_t> b{1, 2, 3, 0};
  EXPECT_EQ(top_overlap(a, b, 2), 0.5);
  EXPECT_EQ(top_overlap(a, b, 1), 0.0);
  EXPECT_EQ(top_overlap(a, b, 100), 1.0);
  EXPECT(std::isnan(top_overlap({}, {}, 3)));
}

TEST_CASE("a log has counts, means and the latest latencies") {
  ShadowLog log;
  EXPECT(std::isnan(log.report().top_overlap));
  EXPECT_EQ(log.report().live_ms.p99, 0.0);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (size_t i = 0; i < ShadowLog::kRemembered; ++i) log.scored({0.25, nan, 9, 90});
  for (size_t i = 0; i < ShadowLog::kRemembered; ++i) {
    log.scored({0.75, 0.5, static_cast<double>(i % 100), 2});
  }
  log.skipped();
  log.failed("first");
  log.failed("second");
  const ShadowLog::Report report = log.report();
  EXPECT_EQ(report.scored, 2 * ShadowLog::kRemembered);
  EXPECT_EQ(report.skipped, 1U);
  EXPECT_EQ(report.failed, 2U);
  EXPECT_EQ(report.last_failure, "second");
  EXPECT_EQ(report.top_overlap, 0.5);
  EXPECT_EQ(report.kendall_tau, 0.5);
  EXPECT_NEAR(report.live_ms.p50, 49, 1);
  EXPECT_NEAR(report.live_ms.p99, 98, 1);
  EXPECT_EQ(report.shadow_ms.p99, 2.0);
}

TEST_CASE("a shadow assembles what it reads and scores the same candidates") {
  const TemporaryFolder folder;
  const World world = shadowed_world(folder, 3);
  const Executor executor({1, 16, {}});
  const auto request = world.done();
  const std::string answer = answer_of(*request);
  request->score_in_shadow(executor);
  EXPECT_EQ(answer_of(*request), answer);
  const ShadowLog::Report same = report_of(world);
  EXPECT_EQ(same.scored, 1U);
  EXPECT_EQ(same.top_overlap, 1.0);
  EXPECT_EQ(same.kendall_tau, 1.0);
  const World other = shadowed_world(folder, -1);
  other.done()->score_in_shadow(executor);
  EXPECT_EQ(report_of(other).kendall_tau, -1.0);
  EXPECT_EQ(report_of(other).top_overlap, 0.0);
}

TEST_CASE("a shadow that fails says why, and the request is as it was") {
  const TemporaryFolder folder;
  World world = shadowed_world(folder, std::numeric_limits<float>::max());
  const Executor executor({1, 16, {}});
  const auto request = world.done();
  const std::string answer = answer_of(*request);
  request->score_in_shadow(executor);
  EXPECT_EQ(answer_of(*request), answer);
  EXPECT_EQ(report_of(world).failed, 1U);
  EXPECT(report_of(world).last_failure.starts_with("MODEL_OUTPUT: "));
  world.settings.shadow.reset();
  world.done()->score_in_shadow(executor);
  EXPECT_EQ(report_of(world).failed, 1U);
}

TEST_CASE("a shadow stands back where a request would wait, or the live ranker did not rank") {
  const TemporaryFolder folder;
  World world = shadowed_world(folder, 3);
  {
    Executor executor({1, 16, {}});
    std::mutex busy;
    std::unique_lock held(busy);
    for (int i = 0; i < 2; ++i) {
      executor.submit([&busy] { const std::scoped_lock waits(busy); });
    }
    world.done()->score_in_shadow(executor);
    EXPECT_EQ(report_of(world).skipped, 1U);
    held.unlock();
  }
  const Executor executor({1, 16, {}});
  world.settings.budget_ms = 0;
  world.done()->score_in_shadow(executor);
  EXPECT_EQ(report_of(world).skipped, 2U);
  EXPECT_EQ(report_of(world).scored, 0U);
  // One that has not been answered is none of its business.
  world.request()->score_in_shadow(executor);
  EXPECT_EQ(report_of(world).skipped, 2U);
}
