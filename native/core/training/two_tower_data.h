#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "training/two_tower_options.h"

namespace feedrank {

/// Items to learn from, a struct of arrays.
struct TwoTowerItems {
  std::vector<int64_t> ids;         // buckets from 1 to id_buckets − 1
  std::vector<float> attributes;    // n × attributes, row-major; NaN where missing
  std::vector<int64_t> categories;  // n × categories, row-major; 0 where there is none
  std::vector<int64_t> publish_times;
};

/// Clicks to learn from, a struct of arrays; items by their numbers, counted from 0 as added.
struct TwoTowerExamples {
  std::vector<uint32_t> clicked;
  std::vector<int64_t> at;
  std::vector<float> context;       // n × context, row-major; NaN where missing
  std::vector<uint32_t> reads;      // of all examples end to end, each one's newest first
  std::vector<float> read_hours;    // how long ago each was
  std::vector<uint32_t> read_ends;  // n: where each example's reads end
};

/// What one step of training sees. Items are named by their place in `items`.
struct TwoTowerBatch {
  std::vector<uint32_t> items;      // numbers, each once
  std::vector<int64_t> ids;         // one an item; 0 where the id is not to be seen
  std::vector<float> attributes;    // items × attributes
  std::vector<int64_t> categories;  // items × categories
  std::vector<int64_t> clicked;     // one an example
  std::vector<int64_t> reads;       // examples × max_reads; 0 where there are fewer
  std::vector<float> read_hours;    // examples × max_reads
  std::vector<float> present;       // examples × max_reads: 1 for a read, 0 for none
  std::vector<float> context;       // examples × context
  std::vector<float> log_q;         // one an example: of its clicked item
  std::vector<float> age_hours;     // examples × examples: of the column's item at the row's time

  size_t size() const { return clicked.size(); }
};

/// Mean and reciprocal standard deviation of each column, without what is missing.
struct ColumnScaling {
  std::vector<float> mean;
  std::vector<float> scale;
};

/// What two towers learn from: append-only, and split once into what is trained on and what
/// validates. Not thread-safe.
class TwoTowerData {
 public:
  explicit TwoTowerData(const TwoTowerOptions& options) : options_(options) {}

  /// Each throws INVALID_ARGUMENT and adds nothing where lengths, numbers or values do not fit.
  void add(const TwoTowerItems& items);
  void add(const TwoTowerExamples& examples);

  /// From here on the first `training` examples are trained on and the others validate; nothing can
  /// be added any more. Throws EMPTY_DATA where there are none to train on.
  void split(uint32_t training);

  uint32_t item_count() const { return static_cast<uint32_t>(items_.ids.size()); }
  uint32_t example_count() const { return static_cast<uint32_t>(examples_.clicked.size()); }
  uint32_t training_count() const { return training_; }
  uint32_t validation_count() const { return example_count() - training_; }

  ColumnScaling attribute_scaling() const;
  ColumnScaling context_scaling() const;

  /// These examples, with ids left out by chance; all of one side of the split.
  TwoTowerBatch training_batch(std::span<const uint32_t> examples, std::mt19937_64& random) const;
  /// These examples as they will be met in service: an item that was never trained on has no id.
  TwoTowerBatch validation_batch(std::span<const uint32_t> examples) const;

 private:
  TwoTowerBatch batch(std::span<const uint32_t> examples, const std::vector<uint32_t>& clicks,
                      uint32_t total) const;

  const TwoTowerOptions options_;
  TwoTowerItems items_;
  TwoTowerExamples examples_;
  bool is_split_ = false;
  uint32_t training_ = 0;
  std::vector<uint8_t> trained_;             // [item] whether its id is trained
  std::vector<uint32_t> training_clicks_;    // [item]
  std::vector<uint32_t> validation_clicks_;  // [item]
};

/// A number from [0, 1): the same for one state on every platform, unlike the standard library's
/// distributions.
inline double uniform(std::mt19937_64& random) {
  return static_cast<double>(random() >> 11U) * 0x1p-53;
}

}  // namespace feedrank
