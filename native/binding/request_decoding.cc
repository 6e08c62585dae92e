#include "request_decoding.h"

#include <cmath>
#include <string>

#include "error.h"
#include "feature_decoding.h"
#include "segment_decoding.h"

namespace feedrank::binding {
namespace {

void check(bool holds, const std::string& argument, const std::string& expected) {
  if (!holds) throw Error("INVALID_ARGUMENT", argument, argument + ": expected " + expected);
}

std::string reason(const ObjectReader& reader) {
  return reader.has("skipped") ? reader.text("skipped") : std::string();
}

AuthorsAndTopics read_names(const ObjectReader& reader) {
  return {reader.texts("authors"), reader.texts("topics")};
}

std::vector<double> finite(std::vector<double> values, const std::string& argument) {
  for (const double value : values) check(std::isfinite(value), argument, "finite numbers");
  return values;
}

std::vector<ExposureTarget> read_exposure(const Napi::Array& targets, size_t labels) {
  constexpr size_t kMost = 8;
  std::vector<ExposureTarget> exposure;
  check(targets.Length() <= kMost, "exposure", "at most 8 targets");
  for_each_object(targets, "exposure", [&](const ObjectReader& target) {
    exposure.push_back({target.count("label"), target.text("value"), target.number("share"),
                        target.number("tolerance")});
    const ExposureTarget& added = exposure.back();
    check(added.label < labels, target.path() + ".label", "a label of the catalog");
    check(added.share >= 0 && added.share <= 1, target.path() + ".share", "a number from 0 to 1");
    check(added.tolerance >= 0 && added.tolerance <= 1, target.path() + ".tolerance",
          "a number from 0 to 1");
  });
  return exposure;
}

}  // namespace

NegativeDots read_negatives(const std::string& text) {
  if (text == "keep") return NegativeDots::kKeep;
  return text == "drop" ? NegativeDots::kDrop : NegativeDots::kDecay;
}

std::optional<double> read_effort(const ObjectReader& reader) {
  if (!reader.has("effort")) return std::nullopt;
  const double effort = reader.number("effort");
  check(effort >= 0 && effort <= 1, "effort", "a number from 0 to 1");
  return effort;
}

Query read_query(const ObjectReader& reader, const CatalogSchema& schema, uint32_t context_values,
                 uint32_t segment_values) {
  Query query;
  if (reader.has("userId")) query.user = to_item_id(reader.value("userId"), "query.userId");
  query.user_vectors = read_user_vectors(reader.array("userVectors"), schema);
  query.now = reader.instant("now");
  query.limit = reader.count("limit");
  query.context = reader.numbers("context");
  check(query.context.size() == context_values, "query.context",
        std::to_string(context_values) + " values");
  query.segments = to_segment_codes(reader.byte_span("segments"), segment_values, "query.segments");
  if (reader.has("currentItem")) {
    query.current_item = to_item_id(reader.value("currentItem"), "query.currentItemId");
  }
  query.follows = read_names(reader.object("follows"));
  query.blocked = read_names(reader.object("blocked"));
  query.muted = read_names(reader.object("muted"));
  query.seen = reader.ids("seen");
  query.explain = reader.flag("explain");
  query.ahead = reader.flag("ahead");
  if (reader.has("list")) query.list = reader.ids("list");
  return query;
}

Settings read_settings(const ObjectReader& reader, const Plan& plan, size_t labels) {
  Settings settings;
  settings.tau_ms = reader.number("tauMs");
  settings.negatives = read_negatives(reader.text("negativeDots"));
  settings.effort = read_effort(reader);
  settings.max_candidates = reader.count("maxCandidates");
  const auto quotas = reader.uint32_span("quotas");
  settings.quotas = {quotas.begin(), quotas.end()};
  settings.max_age_ms = reader.number("maxAgeMs");
  settings.complaints = {reader.number("maxReports"), reader.number("maxReportRate"),
                         reader.number("maxHideRate")};
  settings.seen_after_impressions = reader.count("seenAfterImpressions");
  settings.limits.per_author = reader.count("perAuthor");
  settings.limits.per_topic = reader.count("perTopic");
  settings.limits.author_spacing = reader.count("authorSpacing");
  settings.limits.topic_spacing = reader.count("topicSpacing");
  settings.diversity = reader.number("diversity");
  check(settings.diversity >= 0 && settings.diversity <= 1, "diversity", "a number from 0 to 1");
  settings.exposure = read_exposure(reader.array("exposure"), labels);
  settings.head_weights = reader.numbers("headWeights");
  settings.budget_ms = reader.number("budgetMs");
  settings.budget_percentile = reader.number("budgetPercentile");
  const auto read_bundle = [&](const char* name, const char* weights_name,
                               std::vector<double>& weights) -> std::optional<uint32_t> {
    if (!reader.has(name)) return std::nullopt;
    const uint32_t bundle = reader.count(name);
    check(bundle < plan.smaller.size(), name, "one of the smaller rankers");
    weights = reader.numbers(weights_name);
    check(weights.size() == plan.smaller[bundle].stage.terms.size(), weights_name,
          "one weight a head");
    return bundle;
  };
  settings.smaller = read_bundle("smaller", "smallerWeights", settings.smaller_weights);
  settings.shadow = read_bundle("shadow", "shadowWeights", settings.shadow_weights);
  check(settings.tau_ms > 0, "tauMs", "a number above 0");
  check(settings.quotas.size() == plan.generators.size(), "quotas", "one quota a generator");
  check(plan.ranker.kind != RankerStage::Kind::kModel ||
            settings.head_weights.size() == plan.ranker.terms.size(),
        "headWeights", "one weight a head");
  return settings;
}

ExternalResult read_external_result(const Napi::Value& value, const Plan& plan, size_t candidates) {
  if (value.IsUndefined()) return {};
  const ObjectReader reader(value, "result");
  const std::string kind = reader.text("kind");
  if (kind == "generated") {
    GeneratedItems items;
    for_each_object(reader.array("sources"), "result.sources", [&](const ObjectReader& source) {
      GeneratedItems::Source& added = items.sources.emplace_back();
      added.generator = source.count("generator");
      check(added.generator < plan.generators.size() &&
                plan.generators[added.generator].kind == GeneratorStage::Kind::kExternal,
            source.path(), "an external generator");
      added.ids = source.ids("ids");
      added.scores = finite(source.numbers("scores"), source.path());
      check(added.scores.size() == added.ids.size(), source.path(), "one score an id");
      added.skipped = reason(source);
      added.ms = source.number("ms");
    });
    return items;
  }
  if (kind == "kept") {
    KeptCandidates kept{{}, reason(reader), reader.number("ms")};
    const auto keep = reader.byte_span("keep");
    kept.keep = {keep.begin(), keep.end()};
    check(!kept.skipped.empty() || kept.keep.size() == candidates, "keep", "one entry a candidate");
    return kept;
  }
  if (kind == "enriched") {
    EnrichedFeatures enriched;
    for_each_object(reader.array("sources"), "result.sources", [&](const ObjectReader& source) {
      const size_t e = enriched.sources.size();
      check(e < plan.enrichers.size(), source.path(), "one answer an enricher");
      enriched.sources.push_back({source.floats("values"), reason(source), source.number("ms")});
      const auto& added = enriched.sources.back();
      check(
          !added.skipped.empty() || added.values.size() == candidates * plan.enrichers[e].features,
          source.path(), "candidates × features values");
      for (const float found : added.values) check(std::isfinite(found), source.path(), "finite");
    });
    check(enriched.sources.size() == plan.enrichers.size(), "sources", "one answer an enricher");
    return enriched;
  }
  if (kind == "ranked") {
    RankedScores ranked;
    ranked.skipped = reason(reader);
    ranked.ms = reader.number("ms");
    ranked.scores = finite(reader.numbers("scores"), "scores");
    ranked.term_names = reader.texts("termNames");
    ranked.terms = finite(reader.numbers("terms"), "terms");
    check(!ranked.skipped.empty() || (ranked.scores.size() == candidates &&
                                      ranked.terms.size() == candidates * ranked.term_names.size()),
          "scores", "one score and its terms a candidate");
    return ranked;
  }
  check(kind == "selected", "result.kind", "the kind of an external stage");
  SelectedOrder selected{{}, reason(reader), reader.number("ms")};
  const auto positions = reader.uint32_span("positions");
  selected.positions = {positions.begin(), positions.end()};
  std::vector<uint8_t> taken(candidates, 0);
  for (const uint32_t position : selected.positions) {
    check(position < candidates && taken[position] == 0, "positions",
          "distinct positions of candidates");
    taken[position] = 1;
  }
  return selected;
}

}  // namespace feedrank::binding
