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
  std::vector<ExternalEnricher> enrichers;  // the columns after them, in order
  RankerStage ranker;
  SelectorStage selector;

  uint32_t feature_count() const {
    auto count = static_cast<uint32_t>(features.features.size());
    for (const ExternalEnricher& enricher : enrichers) count += enricher.features;
    return count;
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
    return (ranker.kind == RankerStage::Kind::kDecayedDot && ranker.space == space) ||
           std::any_of(features.features.begin(), features.features.end(), is_dot) ||
           (!list && std::any_of(generators.begin(), generators.end(), is_decayed_dot));
  }
};

}  // namespace feedrank
