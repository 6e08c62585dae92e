// Requests that stop for stages of the user's own.

#include <cmath>

#include "check.h"
#include "request_support.h"

namespace {

using namespace feedrank;
using namespace feedrank::testing;
using State = Request::State;
using GeneratorKind = GeneratorStage::Kind;
using FilterKind = FilterStage::Kind;

/// Every stage is external, with six items in the catalog.
World external_world() {
  World world;
  world.add_items(6);
  world.add_generator("mine", GeneratorKind::kExternal);
  world.add_filter("blocked", FilterKind::kExternal);
  world.plan.enrichers = {{"weather", 2}, {"stock", 1}};
  world.plan.ranker = {};
  world.plan.ranker.name = "mine too";
  world.plan.selector = {"order", SelectorStage::Kind::kExternal, {}};
  return world;
}

EnrichedFeatures enriched(size_t candidates) {
  EnrichedFeatures answer;
  answer.sources.resize(2);
  for (size_t i = 0; i < candidates; ++i) {
    answer.sources[0].values.insert(answer.sources[0].values.end(),
                                    {static_cast<float>(i), static_cast<float>(10 + i)});
    answer.sources[1].values.push_back(static_cast<float>(100 + i));
  }
  return answer;
}

/// Takes a request with every stage external up to the one that it is to wait for.
void advance_to(Request& request, State wanted) {
  if (run(request) == wanted) return;
  if (run(request, generated({{3, 1, 5}})) == wanted) return;
  if (run(request, KeptCandidates{{1, 1, 1}, "", 1}) == wanted) return;
  if (run(request, enriched(3)) == wanted) return;
  run(request, RankedScores{{1, 2, 3}, {}, {}, "", 1});
}

}  // namespace

TEST_CASE("a request stops before each external stage and goes on with its answer") {
  World world = external_world();
  const auto request = world.request();
  REQUIRE(run(*request) == State::kGenerators);
  REQUIRE(run(*request, generated({{3, 1, 99, 5, 3}})) == State::kFilter);
  EXPECT_EQ(candidates_of(*request), "3 1 5");
  EXPECT_EQ(request->trace().unknown_ids, 1U);
  EXPECT_EQ(request->candidates().source_scores[0], 103.0);
  EXPECT_EQ(request->waiting_index(), 0U);
  REQUIRE(run(*request, KeptCandidates{{1, 0, 1}, "", 2.5}) == State::kEnrichers);
  EXPECT_EQ(candidates_of(*request), "3 5");
  EXPECT_EQ(stage_of(*request, "blocked").ms, 2.5);
  REQUIRE(run(*request, enriched(2)) == State::kRanker);
  // The plan's own feature comes first, then the enrichers' in their order.
  const std::vector<float> rows = {-3, 0, 10, 100, -5, 1, 11, 101};
  EXPECT(request->candidates().features == rows);
  const RankedScores ranked{{1, 7}, {"a", "b"}, {1, 0, 3, 4}, "", 1};
  REQUIRE(run(*request, ranked) == State::kSelector);
  EXPECT(request->candidates().terms == ranked.terms);
  REQUIRE(run(*request, SelectedOrder{{0, 1}, "", 1}) == State::kDone);
  EXPECT_EQ(slate_of(*request), "3 5");  // The selector has the last word, not the scores.
  EXPECT(run(*request) == State::kDone);
}

TEST_CASE("external stages that sit out are passed over and named in the trace") {
  World world = external_world();
  const auto request = world.request();
  run(*request);
  GeneratedItems items = generated({{4, 2, 6}});
  items.sources[0].skipped = "late";
  run(*request, items);
  run(*request, KeptCandidates{{}, "threw", 1});
  EXPECT_EQ(candidates_of(*request), "4 2 6");
  EnrichedFeatures answer = enriched(3);
  answer.sources[0] = {{}, "threw", 1};
  run(*request, answer);
  EXPECT_EQ(request->candidates().features[1], 0.0F);
  EXPECT_EQ(request->candidates().features[3], 100.0F);
  run(*request, RankedScores{{}, {}, {}, "too slow", 1});
  EXPECT_EQ(request->candidates().term_names.front(), "mergedOrder");
  run(*request, SelectedOrder{{}, "threw", 1});
  EXPECT_EQ(slate_of(*request), "4 2 6");
  EXPECT_EQ(stage_of(*request, "mine").skipped, "late");
  EXPECT_EQ(stage_of(*request, "blocked").skipped, "threw");
  EXPECT_EQ(stage_of(*request, "weather").skipped, "threw");
  EXPECT_EQ(stage_of(*request, "stock").skipped, "");
  EXPECT_EQ(stage_of(*request, "mine too").skipped, "too slow");
  EXPECT_EQ(stage_of(*request, "order").skipped, "threw");
}

TEST_CASE("external generators take turns with native ones, within their quotas") {
  World world;
  world.add_items(9);
  world.add_generator("one", GeneratorKind::kExternal, 3);
  world.add_generator("fresh", GeneratorKind::kFresh, 2);
  world.add_generator("two", GeneratorKind::kExternal, 2);
  const auto request = world.request();
  REQUIRE(run(*request) == State::kGenerators);
  GeneratedItems items = generated({{9, 8, 1, 7}, {}, {8, 4, 5}});
  items.sources.erase(items.sources.begin() + 1);
  REQUIRE(run(*request, items) == State::kDone);
  EXPECT_EQ(candidates_of(*request), "9 1 8 2 4");
  const auto& scores = request->candidates().source_scores;
  EXPECT_EQ(scores[2 * 3], 108.0);  // 8 by one
  EXPECT(std::isnan(scores[2 * 3 + 1]));
  EXPECT_EQ(scores[2 * 3 + 2], 308.0);  // 8 by two
  EXPECT_EQ(scores[1 * 3], 101.0);      // 1 by one, though fresh brought it in
}

TEST_CASE("native and external filters run in the order of the plan") {
  World world;
  world.add_items(6);
  world.add_generator("fresh", GeneratorKind::kFresh);
  world.add_filter("age", FilterKind::kMaximumAge);
  world.add_filter("first", FilterKind::kExternal);
  world.add_filter("second", FilterKind::kExternal);
  world.add_filter("seen", FilterKind::kSeen);
  world.settings.max_age_ms = 5.0 * kHourMs;
  world.query.seen = {5};
  const auto request = world.request();
  REQUIRE(run(*request) == State::kFilter);
  EXPECT_EQ(request->waiting_index(), 1U);
  EXPECT_EQ(candidates_of(*request), "1 2 3 4 5");
  REQUIRE(run(*request, KeptCandidates{{0, 1, 1, 1, 1}, "", 1}) == State::kFilter);
  EXPECT_EQ(request->waiting_index(), 2U);
  REQUIRE(run(*request, KeptCandidates{{1, 0, 1, 1}, "", 1}) == State::kDone);
  EXPECT_EQ(slate_of(*request), "2 4");
}

TEST_CASE("a request sees the catalog as it was when it began, whatever is written in between") {
  World world = external_world();
  const auto request = world.request();
  run(*request);
  upsert(*world.catalog, {{3, 0, "new", {}, {}, {1000}}, {7, kNowMs, "", {}, {}, {1}}});
  REQUIRE(run(*request, generated({{3, 7, 1}})) == State::kFilter);
  EXPECT_EQ(candidates_of(*request), "3 1");
  EXPECT_EQ(request->trace().unknown_ids, 1U);
  REQUIRE(run(*request, KeptCandidates{{1, 1}, "", 1}) == State::kEnrichers);
  EXPECT_EQ(request->candidates().features[0], -3.0F);
  EXPECT_EQ(request->snapshot().publish_time(request->candidates().rows[0]), kNowMs - 3 * kHourMs);
}

TEST_CASE("an item that is removed while a request runs never reaches the slate") {
  for (const State stage :
       {State::kGenerators, State::kFilter, State::kEnrichers, State::kRanker, State::kSelector}) {
    World world = external_world();
    const auto request = world.request();
    advance_to(*request, stage);
    remove(*world.catalog, {1});
    if (stage == State::kEnrichers) upsert(*world.catalog, {{1, kNowMs}});  // another item now
    size_t n = 3;
    State now = stage;
    while (now != State::kDone) {
      n = request->candidates().size();
      if (now == State::kGenerators)
        now = run(*request, generated({{3, 1, 5}}));
      else if (now == State::kFilter)
        now = run(*request, KeptCandidates{std::vector<uint8_t>(n, 1), "", 1});
      else if (now == State::kEnrichers)
        now = run(*request, enriched(n));
      else if (now == State::kRanker)
        now = run(*request, RankedScores{std::vector<double>(n, 1.0), {}, {}, "", 1});
      else
        now = run(*request, SelectedOrder{n == 3 ? std::vector<uint32_t>{1, 2, 0}
                                                 : std::vector<uint32_t>{1, 0},
                                          "", 1});
    }
    EXPECT_EQ(slate_of(*request), "5 3");
    EXPECT_EQ(request->trace().removed_meanwhile + request->trace().unknown_ids, 1U);
  }
}

TEST_CASE("a slate is filled up where items were removed and the selector was native or sat out") {
  for (const bool external : {false, true}) {
    World world = external_world();
    world.query.limit = 2;
    if (!external) world.plan.selector.kind = SelectorStage::Kind::kTopN;
    const auto request = world.request();
    advance_to(*request, State::kRanker);
    remove(*world.catalog, {5});
    run(*request, RankedScores{{1, 2, 3}, {}, {}, "", 1});
    if (external) run(*request, SelectedOrder{{}, "threw", 1});
    EXPECT_EQ(slate_of(*request), "1 3");
    EXPECT_EQ(request->trace().removed_meanwhile, 1U);
  }
}

TEST_CASE("an external selector cannot answer with more than was asked for") {
  World world = external_world();
  world.query.limit = 2;
  const auto request = world.request();
  advance_to(*request, State::kSelector);
  run(*request, SelectedOrder{{2, 0, 1}, "", 1});
  EXPECT_EQ(slate_of(*request), "5 3");
}

TEST_CASE("rerank asks external enrichers and rankers, but no generator, filter or selector") {
  World world = external_world();
  world.query.list = std::vector<ItemId>{2, 4};
  const auto request = world.request();
  REQUIRE(run(*request) == State::kEnrichers);
  REQUIRE(run(*request, enriched(2)) == State::kRanker);
  REQUIRE(run(*request, RankedScores{{1, 2}, {}, {}, "", 1}) == State::kDone);
  EXPECT_EQ(slate_of(*request), "4 2");
}

TEST_CASE("a request that is cancelled throws, whatever it was doing") {
  for (const State stage :
       {State::kGenerators, State::kFilter, State::kEnrichers, State::kRanker, State::kSelector}) {
    World world = external_world();
    const auto request = world.request();
    advance_to(*request, stage);
    EXPECT_EQ(error_code([&] { request->run({}, [] { return true; }); }), "ABORTED");
  }
  World world;
  world.add_generator("fresh", GeneratorKind::kFresh);
  world.add_items(3);
  EXPECT_EQ(error_code([&] { world.request()->run({}, [] { return true; }); }), "ABORTED");
  // Between two native stages as well.
  int asked = 0;
  EXPECT_EQ(error_code([&] { world.request()->run({}, [&] { return ++asked == 3; }); }), "ABORTED");
  EXPECT_EQ(asked, 3);
}

TEST_CASE("a cancelled request gives back the state that it held") {
  World world = external_world();
  auto request = world.request();
  run(*request);
  EXPECT_EQ(error_code([&] { request->run({}, [] { return true; }); }), "ABORTED");
  request.reset();
  const uint32_t rows = world.catalog->allocated_rows();
  for (int i = 0; i < 20; ++i) upsert(*world.catalog, {{1, kNowMs + i}});
  EXPECT(world.catalog->allocated_rows() <= rows + 1);
}
