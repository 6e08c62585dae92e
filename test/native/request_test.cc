// Requests whose stages are all native.

#include <cmath>

#include "check.h"
#include "request_support.h"

namespace {

using namespace feedrank;
using namespace feedrank::testing;
using GeneratorKind = GeneratorStage::Kind;
using FilterKind = FilterStage::Kind;

/// A world with a fresh generator and ten items.
World fresh_world(int64_t items = 10) {
  World world;
  world.add_generator("fresh", GeneratorKind::kFresh);
  world.add_items(items);
  return world;
}

}  // namespace

TEST_CASE("a request answers with the best items, at most as many as it was asked for") {
  World world = fresh_world();
  upsert(*world.catalog, {{7, kNowMs, "", {}, {}, {50}}});
  world.query.limit = 3;
  const auto request = world.done();
  EXPECT_EQ(slate_of(*request), "7 1 2");
  EXPECT_EQ(request->candidates().size(), 10U);
  EXPECT_EQ(stage_of(*request, "fresh").out, 10U);
  EXPECT_EQ(stage_of(*request, "selector").in, 10U);
  EXPECT_EQ(stage_of(*request, "selector").out, 3U);
  for (const StageTrace& stage : request->trace().stages) EXPECT_EQ(stage.skipped, "");
}

TEST_CASE("generators take turns, and an item that several found comes once with all its scores") {
  World world;
  world.add_items(6);
  world.add_generator("fresh", GeneratorKind::kFresh, 3);
  world.add_generator("trending", GeneratorKind::kTrending, 3);
  world.happened(EventType::kClick, "a", 5);
  world.happened(EventType::kClick, "b", 5);
  world.happened(EventType::kClick, "a", 1);
  const auto request = world.done();
  // fresh: 1 2 3; trending: 5 1.
  EXPECT_EQ(candidates_of(*request), "1 5 2 3");
  const CandidateSet& found = request->candidates();
  EXPECT_NEAR(found.source_scores[0], -1, 1e-12);      // 1 by fresh
  EXPECT_NEAR(found.source_scores[1], 1, 1e-9);        // 1 by trending
  EXPECT(std::isnan(found.source_scores[2]));          // 5 by fresh
  EXPECT_NEAR(found.source_scores[3], 2, 1e-9);        // 5 by trending
  EXPECT(std::isnan(found.source_scores[2 * 2 + 1]));  // 2 by trending
  EXPECT_EQ(stage_of(*request, "merge").out, 4U);
}

TEST_CASE("the number of candidates cuts every generator's tail and no generator whole") {
  World world;
  world.add_items(30);
  world.add_generator("fresh", GeneratorKind::kFresh, 20);
  world.add_generator("trending", GeneratorKind::kTrending, 20);
  for (int64_t id = 21; id <= 30; ++id) world.happened(EventType::kClick, "a", id);
  world.happened(EventType::kClick, "b", 2);
  world.happened(EventType::kClick, "c", 2);
  world.settings.max_candidates = 6;
  const auto request = world.done();
  // Trending found 2 first; it was full when fresh came to 2, but the score is there all the same.
  EXPECT_EQ(candidates_of(*request), "1 2 21 3 22 4");
  EXPECT(!std::isnan(request->candidates().source_scores[1 * 2]));
}

TEST_CASE("a quota of 0 turns a generator off") {
  World world = fresh_world();
  world.settings.quotas = {0};
  const auto request = world.done();
  EXPECT_EQ(request->candidates().size(), 0U);
  EXPECT(request->order().empty());
}

TEST_CASE("a request on an empty catalog is done with an empty slate") {
  World world = fresh_world(0);
  world.add_filter("seen", FilterKind::kSeen);
  EXPECT(world.done()->order().empty());
}

TEST_CASE("what the query lists, the reader has read or has been shown often enough is not shown") {
  World world = fresh_world(8);
  world.add_filter("seen", FilterKind::kSeen);
  world.query.user = UserId("ann");
  world.query.seen = {2, 99};
  world.happened(EventType::kClick, "ann", 3);
  world.happened(EventType::kDwell, "ann", 4);
  world.happened(EventType::kImpression, "ann", 5);
  for (int i = 0; i < 2; ++i) world.happened(EventType::kImpression, "ann", 6);
  world.happened(EventType::kClick, "bob", 7);
  EXPECT_EQ(slate_of(*world.done()), "1 5 6 7 8");
  world.settings.seen_after_impressions = 2;
  EXPECT_EQ(slate_of(*world.done()), "1 5 7 8");
  world.settings.seen_after_impressions = 1;
  const auto request = world.done();
  EXPECT_EQ(slate_of(*request), "1 7 8");
  EXPECT_EQ(stage_of(*request, "seen").in, 8U);
  EXPECT_EQ(stage_of(*request, "seen").out, 3U);
  world.query.user.reset();
  EXPECT_EQ(slate_of(*world.done()), "1 3 4 5 6 7 8");
}

TEST_CASE("an item is seen although another that had its slot before was seen, too") {
  World world = fresh_world(1);
  world.add_filter("seen", FilterKind::kSeen);
  world.query.user = UserId("ann");
  world.happened(EventType::kClick, "ann", 1);
  const Slot slot = slot_of(*world.catalog, 1);
  remove(*world.catalog, {1});
  upsert(*world.catalog, {{2, kNowMs}});
  REQUIRE(slot_of(*world.catalog, 2).index == slot.index);
  EXPECT_EQ(slate_of(*world.done()), "2");
  world.query.seen = {2};
  EXPECT_EQ(slate_of(*world.done()), "");
  world.query.seen.clear();
  world.happened(EventType::kClick, "ann", 2);
  EXPECT_EQ(slate_of(*world.done()), "");
}

TEST_CASE("a list of seen items with an id of the wrong kind is refused") {
  World world = fresh_world();
  world.add_filter("seen", FilterKind::kSeen);
  world.query.seen = {"2"};
  EXPECT_EQ(error_code([&] { world.done(); }), "INVALID_ARGUMENT");
}

TEST_CASE("the maximum age keeps what is exactly as old and what is not published yet") {
  World world = fresh_world(5);
  upsert(*world.catalog, {{6, kNowMs + kHourMs, "", {}, {}, {9}}});
  world.add_filter("age", FilterKind::kMaximumAge);
  world.settings.max_age_ms = 3.0 * kHourMs;
  EXPECT_EQ(slate_of(*world.done()), "6 1 2 3");
  world.settings.max_age_ms = 3.0 * kHourMs - 1;
  EXPECT_EQ(slate_of(*world.done()), "6 1 2");
  world.settings.max_age_ms = 0;
  EXPECT_EQ(slate_of(*world.done()), "6");
}

TEST_CASE("caps hold for authors and topics") {
  World world;
  world.add_generator("fresh", GeneratorKind::kFresh);
  upsert(*world.catalog, {{1, kNowMs, "ann", {"x"}, {}, {9}},
                          {2, kNowMs, "ann", {"y"}, {}, {8}},
                          {3, kNowMs, "bob", {"x"}, {}, {7}},
                          {4, kNowMs, "", {}, {}, {6}},
                          {5, kNowMs, "", {}, {}, {5}}});
  world.settings.limits.per_author = 1;
  EXPECT_EQ(slate_of(*world.done()), "1 3 4 5");
  world.settings.limits.per_topic = 1;
  EXPECT_EQ(slate_of(*world.done()), "1 4 5");
  world.settings.limits.per_author = 0;
  EXPECT_EQ(slate_of(*world.done()), "1 2 4 5");
}

TEST_CASE("equal scores come newer first, then with the smaller id") {
  World world;
  world.add_generator("fresh", GeneratorKind::kFresh);
  upsert(*world.catalog, {{5, kNowMs - 10, "", {}, {}, {1}},
                          {3, kNowMs - 10, "", {}, {}, {1}},
                          {9, kNowMs - 5, "", {}, {}, {1}},
                          {1, kNowMs - 99, "", {}, {}, {2}}});
  EXPECT_EQ(slate_of(*world.done()), "1 9 3 5");
}

TEST_CASE("rerank orders the given list, whole: no filter and no cap thins it out") {
  World world = fresh_world(6);
  world.add_filter("seen", FilterKind::kSeen);
  world.settings.limits.per_author = 1;
  world.settings.max_candidates = 1;
  world.query.seen = {2};
  world.query.list = std::vector<ItemId>{4, 77, 2, 6, 78};
  const auto request = world.done();
  EXPECT_EQ(slate_of(*request), "2 4 6");
  EXPECT_EQ(request->trace().unknown_ids, 2U);
  EXPECT_EQ(stage_of(*request, "list").out, 3U);
  EXPECT_EQ(stage_of(*request, "fresh").name, "");
  world.query.list = std::vector<ItemId>{};
  EXPECT(world.done()->order().empty());
  world.query.list = std::vector<ItemId>{"4"};
  EXPECT_EQ(error_code([&] { world.done(); }), "INVALID_ARGUMENT");
}

TEST_CASE("a score is the sum of its terms") {
  World world = fresh_world(3);
  world.plan.features.features.push_back({FeatureSource::kAge, {}, {}, 0, 0});
  world.plan.ranker.columns = {1, 0};
  world.plan.ranker.weights = {0.5, 2};
  world.plan.ranker.terms = {"age", "quality"};
  const auto request = world.done();
  const CandidateSet& found = request->candidates();
  for (size_t i = 0; i < 3; ++i) {
    const auto id = static_cast<double>(id_of(*request, i));
    EXPECT_NEAR(found.terms[i * 2], 0.5 * id, 1e-6);
    EXPECT_NEAR(found.terms[i * 2 + 1], -2 * id, 1e-6);
    EXPECT_EQ(found.scores[i], found.terms[i * 2] + found.terms[i * 2 + 1]);
  }
}

TEST_CASE("the decayed dot ranker scores what has no vector 0") {
  World world;
  world.add_generator("fresh", GeneratorKind::kFresh);
  upsert(*world.catalog, {{1, kNowMs - 10 * kHourMs, "", {}, {{2, 1}}},
                          {2, kNowMs},
                          {3, kNowMs - 10 * kHourMs, "", {}, {{-1, 0}}}});
  world.plan.ranker = {};
  world.plan.ranker.name = "dot";
  world.plan.ranker.kind = RankerStage::Kind::kDecayedDot;
  world.plan.ranker.terms = {"dot", "decay"};
  world.query.user_vectors = {{0, 2, {3, 0, 0, 1}}};
  const auto request = world.done();
  EXPECT_EQ(slate_of(*request), "1 2 3");
  for (size_t i = 0; i < 3; ++i) {
    const int64_t id = id_of(*request, i);
    const double dot = id == 1 ? 6 : id == 2 ? 0 : 0;  // (0, 1) sees nothing wrong with item 3.
    EXPECT_NEAR(request->candidates().scores[i], dot * std::exp(-1.0), 1e-9);
  }
  world.query.user_vectors = {{0, 2, {3, 0}}};
  world.settings.negatives = NegativeDots::kKeep;
  const auto kept = world.done();
  EXPECT_NEAR(kept->candidates().scores[kept->order().back()], -3, 1e-9);
}

TEST_CASE("the decayed dot generator sits out where the query brings no vector, and says so") {
  World world = fresh_world(4);
  world.add_generator("similar", GeneratorKind::kDecayedDot, 2);
  const auto without = world.done();
  EXPECT_EQ(stage_of(*without, "similar").skipped, "no user vector");
  EXPECT_EQ(slate_of(*without), "1 2 3 4");
  world.query.user_vectors = {{0, 2, {1, 0}}};
  const auto with = world.done();
  EXPECT_EQ(stage_of(*with, "similar").out, 2U);
  EXPECT_NEAR(with->candidates().source_scores[1], std::exp(-0.1), 1e-12);
}
