#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "features/feature.h"
#include "features/reader_signals.h"
#include "features/segments.h"

namespace feedrank {

/// A list of features, sorted by what they need: each store is read once an item, and a value that
/// several features transform or hold against different reference sets is computed once.
struct FeatureGroups {
  explicit FeatureGroups(const FeatureList& list);

  struct Column {
    uint32_t base;    // position among the bases
    uint32_t column;  // of the feature matrix
  };

  /// Neighbouring features that are neighbouring columns of the catalog as they are.
  struct Run {
    uint32_t source;                    // the first column of the catalog
    uint32_t column;                    // the first of the feature matrix
    std::vector<double> missing;        // one a feature
    std::vector<float> narrow_missing;  // the same as they enter the matrix
  };

  std::vector<Run> runs;       // of these no feature is a base, unless another asks for it
  std::vector<Feature> bases;  // without a reference set, each once
  std::vector<Column> absolute;
  std::vector<Column> relative_to_pool;
  std::vector<Column> relative_to_list;

  bool counted = false;  // whether any feature reads this store
  bool quality = false;
  bool totals = false;
  bool reader = false;
  ReaderSignals::Parts reader_parts;
  std::array<bool, kMaxSegmentations> segments{};

 private:
  /// Whether the feature has been taken into a run.
  bool add_to_run(const Feature& feature, uint32_t column);
};

}  // namespace feedrank
