#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "features/feature.h"
#include "ranking/model.h"
#include "slate/condition.h"
#include "slate/reader_encoder.h"
#include "slate/shadow_log.h"

namespace feedrank {

/// A stage that is "external" is implemented by the user, outside the core: the request stops
/// before it, hands out its candidates, and goes on with what it is given.

struct GeneratorStage {
  enum class Kind : uint8_t { kDecayedDot, kTrending, kFresh, kFollowed, kCoRead, kExternal };
  std::string name;
  Kind kind = Kind::kExternal;
  uint32_t space = 0;                  // kDecayedDot
  Counter counter = Counter::kClicks;  // kTrending
  uint32_t half_life = 0;              // kTrending: of the counters, or of those of segments
  std::optional<uint32_t> segment{};   // kTrending: counts of the query's own value of it alone
  bool fail_closed = false;
};

struct FilterStage {
  enum class Kind : uint8_t {
    kSeen,
    kMaximumAge,
    kBlocked,
    kMuted,
    kEligible,
    kWhere,
    kExternal,
  };
  std::string name;
  Kind kind = Kind::kExternal;
  bool fail_closed = false;
  std::vector<Condition> conditions{};  // kEligible, kWhere: what an item must meet, all of them
};

struct ExternalEnricher {
  std::string name;
  uint32_t features = 0;
};

struct RankerStage {
  enum class Kind : uint8_t { kModel, kDecayedDot, kWeightedSum, kExternal };
  std::string name;
  Kind kind = Kind::kExternal;
  bool fail_closed = false;
  std::shared_ptr<Model> model;    // kModel
  uint32_t space = 0;              // kDecayedDot
  std::vector<uint32_t> columns;   // of the feature matrix, in the order that the ranker reads them
  std::vector<double> weights;     // kWeightedSum: one a column
  std::vector<std::string> terms;  // names of what a score is made of
};

/// A bundle's ranker that profiles may name for requests whose budget the plan's own does not fit,
/// or to look on.
struct SmallerRanker {
  FeatureList features;
  std::vector<uint32_t> feature_columns;  // of the feature matrix: where they stand
  RankerStage stage;                      // named as the bundle is
  std::shared_ptr<ShadowLog> log = std::make_shared<ShadowLog>();  // of looking on
};

struct SelectorStage {
  enum class Kind : uint8_t { kTopN, kMmr, kDpp, kExternal };
  std::string name;
  Kind kind = Kind::kTopN;
  std::optional<uint32_t> space;  // kMmr, kDpp: where items are compared; else, by their topics
};

/// A feed, compiled: what each request runs, in order. Immutable and shared by requests.
struct Plan {
  std::optional<ReaderEncoder> reader_encoder;
  std::vector<GeneratorStage> generators;
  std::vector<FilterStage> filters;
  std::string enricher_name;
  FeatureList features;                     // the first columns of the feature matrix
  uint32_t more_features = 0;               // the next ones: what smaller rankers alone read
  std::vector<ExternalEnricher> enrichers;  // the columns after them, in order
  RankerStage ranker;
  std::vector<SmallerRanker> smaller;
  SelectorStage selector;

  uint32_t first_external_column() const {
    return static_cast<uint32_t>(features.features.size()) + more_features;
  }
  uint32_t feature_count() const {
    uint32_t count = first_external_column();
    for (const ExternalEnricher& enricher : enrichers) count += enricher.features;
    return count;
  }

  /// Whether features of any ranker are relative to this set.
  bool reads(ReferenceSet reference) const {
    return features.reads(reference) ||
           std::any_of(smaller.begin(), smaller.end(),
                       [reference](const SmallerRanker& s) { return s.features.reads(reference); });
  }

  /// Ways to rank, the best and dearest first: the plan's own ranker, the smaller ones, and last,
  /// where generators know of a space, decayed dot products in it.
  uint32_t tier_count() const {
    return 1 + static_cast<uint32_t>(smaller.size()) + (last_resort() ? 1 : 0);
  }
  std::optional<RankerStage> last_resort() const {
    if (ranker.kind == RankerStage::Kind::kDecayedDot) return std::nullopt;
    for (const GeneratorStage& stage : generators) {
      if (stage.kind != GeneratorStage::Kind::kDecayedDot) continue;
      RankerStage last;
      last.name = "decayed dot";
      last.kind = RankerStage::Kind::kDecayedDot;
      last.space = stage.space;
      last.terms = {"dot", "decay"};
      return last;
    }
    return std::nullopt;
  }

  /// Whether a native stage would make use of the encoder's vector; a given `list` is only ordered.
  bool reads_encoded_reader(bool list) const {
    if (!reader_encoder) return false;
    const uint32_t space = reader_encoder->space;
    const auto is_dot = [space](const Feature& feature) {
      return feature.source == FeatureSource::kDot && feature.index == space;
    };
    const auto is_decayed_dot = [space](const GeneratorStage& stage) {
      return stage.kind == GeneratorStage::Kind::kDecayedDot && stage.space == space;
    };
    const auto reads_dot = [&is_dot](const FeatureList& list) {
      return std::any_of(list.features.begin(), list.features.end(), is_dot);
    };
    return (ranker.kind == RankerStage::Kind::kDecayedDot && ranker.space == space) ||
           reads_dot(features) ||
           std::any_of(smaller.begin(), smaller.end(),
                       [&reads_dot](const SmallerRanker& s) { return reads_dot(s.features); }) ||
           (!list && std::any_of(generators.begin(), generators.end(), is_decayed_dot));
  }
};

}  // namespace feedrank
