#include "candidate_stage_decoding.h"

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "arguments.h"
#include "error.h"

namespace feedrank::binding {
namespace {

// In the order of the stages' kinds; what is none of these is external.
constexpr std::array<std::string_view, 5> kGeneratorKinds{"decayed-dot", "trending", "fresh",
                                                          "followed", "co-read"};
constexpr std::array<std::string_view, 6> kFilterKinds{"seen",  "maximum-age", "blocked",
                                                       "muted", "eligible",    "where"};
constexpr std::array<std::string_view, 4> kConditionKinds{"column", "label", "author", "topics"};

template <size_t N>
size_t position(const std::array<std::string_view, N>& names, const std::string& name) {
  size_t i = 0;
  while (i < N && names[i] != name) ++i;
  return i;
}

void check(bool holds, const std::string& argument, const std::string& expected) {
  if (!holds) throw Error("INVALID_ARGUMENT", argument, argument + ": expected " + expected);
}

void read_trending(const ObjectReader& item, const Engagement& engagement, GeneratorStage& stage) {
  const uint32_t counter = item.count("counter");
  check(counter < kCounters, item.path(), "a counter");
  stage.counter = static_cast<Counter>(counter);
  stage.half_life = item.count("halfLife");
  size_t half_lives = engagement.counters().half_lives().size();
  if (item.has("segment")) {
    stage.segment = item.count("segment");
    check(*stage.segment < engagement.options().segmentations.size(), item.path(), "a segment");
    check(counter <= static_cast<uint32_t>(Counter::kClicks), item.path(), "impressions or clicks");
    half_lives = engagement.segments()->half_lives().size();
  }
  check(stage.half_life < half_lives, item.path(), "a half-life of the feed");
}

Condition read_condition(const ObjectReader& item, Catalog& catalog) {
  Condition condition;
  const size_t of = position(kConditionKinds, item.text("of"));
  check(of < kConditionKinds.size(), item.path(), "what the condition is of");
  condition.of = static_cast<Condition::Of>(of);
  if (condition.of == Condition::Of::kColumn) {
    condition.index = item.count("index");
    condition.at_least = item.number("atLeast");
    condition.at_most = item.number("atMost");
    if (item.has("isNot")) condition.is_not = item.number("isNot");
    condition.missing_meets = item.flag("missingMeets");
    check(condition.index < catalog.schema().columns.size(), item.path(), "a column");
    check(condition.at_least <= condition.at_most, item.path(), "atLeast up to atMost");
    return condition;
  }
  if (condition.of == Condition::Of::kLabel) {
    condition.index = item.count("index");
    check(condition.index < catalog.schema().labels.size(), item.path(), "a label");
  }
  std::vector<uint32_t> codes;
  for (const std::string& name : item.texts("names")) {
    codes.push_back(catalog.strings().intern(name));
  }
  condition.names = CodeSet(std::move(codes));
  condition.is_one_of = item.flag("isOneOf");
  return condition;
}

}  // namespace

std::vector<GeneratorStage> read_generators(const Napi::Array& array,
                                            const Engagement& engagement) {
  std::vector<GeneratorStage> stages;
  for_each_object(array, "generators", [&](const ObjectReader& item) {
    GeneratorStage& stage = stages.emplace_back();
    stage.name = item.text("name");
    stage.fail_closed = item.flag("failClosed");
    stage.kind = static_cast<GeneratorStage::Kind>(position(kGeneratorKinds, item.text("kind")));
    if (stage.kind == GeneratorStage::Kind::kDecayedDot) {
      stage.space =
          engagement.catalog()->schema().space_index(item.text("space"), item.path() + ".space");
    } else if (stage.kind == GeneratorStage::Kind::kTrending) {
      read_trending(item, engagement, stage);
    }
  });
  return stages;
}

std::vector<FilterStage> read_filters(const Napi::Array& array, Catalog& catalog) {
  std::vector<FilterStage> stages;
  for_each_object(array, "filters", [&](const ObjectReader& item) {
    FilterStage& stage = stages.emplace_back();
    stage.name = item.text("name");
    stage.fail_closed = item.flag("failClosed");
    stage.kind = static_cast<FilterStage::Kind>(position(kFilterKinds, item.text("kind")));
    for_each_object(item.array("conditions"), item.path() + ".conditions",
                    [&](const ObjectReader& condition) {
                      stage.conditions.push_back(read_condition(condition, catalog));
                    });
  });
  return stages;
}

}  // namespace feedrank::binding
