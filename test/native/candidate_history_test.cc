// Where candidates stood along the way, as explanations tell it.

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "check.h"
#include "request_support.h"

namespace {

using namespace feedrank;
using namespace feedrank::testing;
using GeneratorKind = GeneratorStage::Kind;
using FilterKind = FilterStage::Kind;

/// After each stage, "name:" and the ids in the order of their positions, dropped ones left out.
std::string journey(const Request& request) {
  std::ostringstream said;
  for (const CandidateHistory::Stage& stage : request.candidates().history->stages()) {
    std::vector<std::pair<uint32_t, int64_t>> places;
    for (size_t i = 0; i < stage.positions.size(); ++i) {
      places.emplace_back(stage.positions[i], id_of(request, i));
    }
    std::sort(places.begin(), places.end());
    said << stage.name << ":";
    for (const auto& [position, id] : places) {
      said << ' ' << id << '@' << position;
    }
    said << "; ";
  }
  return said.str();
}

World two_generators() {
  World world;
  world.add_items(6);
  world.add_generator("fresh", GeneratorKind::kFresh, 4);
  world.add_generator("trending", GeneratorKind::kTrending, 3);
  world.happened(EventType::kClick, "a", 5);
  world.happened(EventType::kClick, "b", 5);
  world.happened(EventType::kClick, "a", 1);
  world.query.explain = true;
  return world;
}

}  // namespace

TEST_CASE("a history says where each candidate stood in each list and after each stage") {
  World world = two_generators();
  world.add_filter("seen", FilterKind::kSeen);
  world.add_filter("age", FilterKind::kMaximumAge);
  world.query.seen = {int64_t{5}};
  world.settings.max_age_ms = 3.5 * kHourMs;
  upsert(*world.catalog, {{3, kNowMs - 3 * kHourMs, "", {}, {}, {9}}});
  const auto request = world.done();
  // fresh: 1 2 3 4; trending: 5 1. Of the merged 1 5 2 3 4, 5 was seen and 4 is too old.
  EXPECT_EQ(journey(*request),
            "merge: 1@0 2@2 3@3; seen: 1@0 2@1 3@2; age: 1@0 2@1 3@2; quality: 3@0 1@1 2@2; ");
  const std::vector<uint32_t>& sources = request->candidates().history->source_positions();
  constexpr uint32_t kNowhere = CandidateHistory::kNowhere;
  EXPECT_EQ(sources.size(), 6U);
  EXPECT((sources == std::vector<uint32_t>{0, 1, 1, kNowhere, 2, kNowhere}));
  EXPECT_EQ(slate_of(*request), "3 1 2");
}

TEST_CASE("a given list is explained from its own order") {
  World world = two_generators();
  world.query.list = std::vector<ItemId>{int64_t{4}, int64_t{99}, int64_t{2}, int64_t{6}};
  const auto request = world.done();
  EXPECT_EQ(journey(*request), "list: 4@0 2@1 6@2; quality: 2@0 4@1 6@2; ");
  EXPECT(request->candidates().history->source_positions().empty());
}

TEST_CASE("a filter that is not native stands in the history, also where it was skipped") {
  for (const bool skipped : {false, true}) {
    World world = two_generators();
    world.add_filter("own", FilterKind::kExternal);
    const auto request = world.request();
    EXPECT(run(*request) == Request::State::kFilter);
    KeptCandidates kept{{0, 1, 1, 0, 1}, skipped ? "deadline" : "", 1};
    EXPECT(run(*request, kept) == Request::State::kDone);
    EXPECT_EQ(journey(*request),
              skipped ? "merge: 1@0 5@1 2@2 3@3 4@4; own: 1@0 5@1 2@2 3@3 4@4; "
                        "quality: 1@0 2@1 3@2 4@3 5@4; "
                      : "merge: 5@1 2@2 4@4; own: 5@0 2@1 4@2; quality: 2@0 4@1 5@2; ");
  }
}

TEST_CASE("explaining changes nothing of the answer, and nothing is kept for who does not ask") {
  World world = two_generators();
  const auto explained = world.done();
  world.query.explain = false;
  const auto plain = world.done();
  EXPECT(!plain->candidates().history.has_value());
  EXPECT_EQ(slate_of(*explained), slate_of(*plain));
  EXPECT(explained->candidates().scores == plain->candidates().scores);
  EXPECT(explained->candidates().terms == plain->candidates().terms);
}
