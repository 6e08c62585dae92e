// What a request does without: time, or a model that answers.

#include <limits>

#include "check.h"
#include "ranking/scripted_network.h"
#include "request_support.h"
#include "temporary_folder.h"

namespace {

using namespace feedrank;
using namespace feedrank::testing;
using GeneratorKind = GeneratorStage::Kind;

/// Ten times the item's quality, by a model: infinite where quality is the largest float32.
std::shared_ptr<Model> ten_times(const TemporaryFolder& folder) {
  ScriptedNetwork network{{0}, {1}, {{1, 2, {10, -1}, {0, 0}}}};
  save_scripted_network(network, folder.path("model.pt"));
  return std::make_shared<Model>(
      ModelOptions{folder.bytes("model.pt"), "model.pt", 1, {"click", "hide"}});
}

World model_world(const TemporaryFolder& folder) {
  World world;
  world.add_generator("fresh", GeneratorKind::kFresh);
  world.add_items(4);
  world.plan.ranker = {};
  world.plan.ranker.name = "model";
  world.plan.ranker.kind = RankerStage::Kind::kModel;
  world.plan.ranker.model = ten_times(folder);
  world.plan.ranker.columns = {0};
  world.plan.ranker.terms = world.plan.ranker.model->heads();
  world.settings.head_weights = {1, 0.5};
  return world;
}

constexpr double kHuge = std::numeric_limits<float>::max();

}  // namespace

TEST_CASE("a model's heads are weighted and added up") {
  const TemporaryFolder folder;
  World world = model_world(folder);
  const auto request = world.done();
  EXPECT_EQ(slate_of(*request), "1 2 3 4");
  const CandidateSet& found = request->candidates();
  EXPECT_NEAR(found.terms[2 * 2], -30, 1e-5);
  EXPECT_NEAR(found.terms[2 * 2 + 1], 1.5, 1e-6);
  EXPECT_NEAR(found.scores[2], -28.5, 1e-5);
  world.settings.head_weights = {0, 1};
  EXPECT_EQ(slate_of(*world.done()), "4 3 2 1");
}

TEST_CASE("a model that fails leaves the merged order, and the trace says why") {
  const TemporaryFolder folder;
  World world = model_world(folder);
  upsert(*world.catalog, {{3, kNowMs - 3 * kHourMs, "", {}, {}, {kHuge}}});
  const auto request = world.done();
  EXPECT_EQ(slate_of(*request), "1 2 3 4");
  EXPECT(stage_of(*request, "model").skipped.starts_with("MODEL_OUTPUT"));
  EXPECT(stage_of(*request, "model").skipped.find("3") != std::string::npos);
  EXPECT(request->candidates().term_names == std::vector<std::string>{"mergedOrder"});
  EXPECT_EQ(request->candidates().terms.size(), 4U);
  for (const double score : request->candidates().scores) EXPECT(std::isfinite(score));
  // The model serves the next request.
  upsert(*world.catalog, {{3, kNowMs - 3 * kHourMs, "", {}, {}, {5}}});
  EXPECT_EQ(slate_of(*world.done()), "3 1 2 4");
}

TEST_CASE("a model that must not fail fails the request") {
  const TemporaryFolder folder;
  World world = model_world(folder);
  world.plan.ranker.fail_closed = true;
  EXPECT_EQ(slate_of(*world.done()), "1 2 3 4");
  upsert(*world.catalog, {{3, kNowMs, "", {}, {}, {kHuge}}});
  EXPECT_EQ(error_code([&] { world.done(); }), "MODEL_OUTPUT");
}

TEST_CASE("a model is not asked where there are no candidates") {
  const TemporaryFolder folder;
  World world = model_world(folder);
  remove(*world.catalog, {1, 2, 3, 4});
  EXPECT(world.done()->order().empty());
}

TEST_CASE("a request out of budget keeps what it has found and says what it left out") {
  World world;
  world.add_items(4);
  world.add_generator("trending", GeneratorKind::kTrending);
  world.add_generator("fresh", GeneratorKind::kFresh);
  world.add_generator("similar", GeneratorKind::kDecayedDot);
  world.query.user_vectors = {{0, 2, {1, 0}}};
  upsert(*world.catalog, {{4, kNowMs - 4 * kHourMs, "", {}, {}, {100}}});
  world.settings.budget_ms = 1e-9;
  const auto request = world.done();
  // Trending found nothing, so the next generator still ran; then there was enough to answer with.
  EXPECT_EQ(stage_of(*request, "trending").skipped, "");
  EXPECT_EQ(stage_of(*request, "fresh").skipped, "");
  EXPECT_EQ(stage_of(*request, "similar").skipped, "budget");
  EXPECT_EQ(stage_of(*request, "features").skipped, "budget");
  EXPECT_EQ(stage_of(*request, "quality").skipped, "budget");
  EXPECT_EQ(slate_of(*request), "1 2 3 4");
  world.settings.budget_ms = Settings::kNoBudget;
  EXPECT_EQ(slate_of(*world.done()), "4 1 2 3");
}

TEST_CASE("filters run however small the budget is") {
  World world;
  world.add_items(4);
  world.add_generator("fresh", GeneratorKind::kFresh);
  world.add_filter("seen", FilterStage::Kind::kSeen);
  world.query.seen = {1, 3};
  world.settings.budget_ms = 1e-9;
  EXPECT_EQ(slate_of(*world.done()), "2 4");
}

TEST_CASE("a ranker that must not fail is not skipped for want of time") {
  const TemporaryFolder folder;
  World world = model_world(folder);
  upsert(*world.catalog, {{4, kNowMs - 4 * kHourMs, "", {}, {}, {100}}});
  world.settings.budget_ms = 1e-9;
  EXPECT_EQ(slate_of(*world.done()), "1 2 3 4");
  world.plan.ranker.fail_closed = true;
  EXPECT_EQ(slate_of(*world.done()), "4 1 2 3");
}

TEST_CASE("a reranked list out of budget comes back in the order it was given") {
  World world;
  world.add_items(4);
  world.query.list = std::vector<ItemId>{3, 1, 4};
  world.settings.budget_ms = 1e-9;
  EXPECT_EQ(slate_of(*world.done()), "3 1 4");
}
