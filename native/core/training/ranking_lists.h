#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace feedrank {

/// Lists that readers had in view, as rows of features: what rankers learn from. Lists are only
/// ever appended; a trainer may read while nothing is appended.
class RankingLists {
 public:
  static constexpr uint8_t kNoGroup = 255;

  struct Batch {
    std::span<const float> rows;           // [row × feature], row-major, finite
    std::span<const uint32_t> lengths;     // rows of each list, in order
    std::span<const uint8_t> clicked;      // one a row, 0 or 1
    std::span<const float> dwell_seconds;  // one a list: of its one clicked row; NaN: unknown
    std::span<const uint8_t> groups;       // one a row; kNoGroup where it belongs to none
  };

  explicit RankingLists(uint32_t features) : features_(features) {}

  RankingLists(const RankingLists&) = delete;
  RankingLists& operator=(const RankingLists&) = delete;

  /// Throws INVALID_ARGUMENT, and then appends nothing: columns that do not fit together, a list
  /// without a clicked or without an unclicked row, or a feature that is NaN or infinite.
  void append(const Batch& batch);

  uint32_t features() const { return features_; }
  size_t size() const { return ends_.size(); }
  size_t begin_of(size_t list) const { return list == 0 ? 0 : ends_[list - 1]; }
  size_t end_of(size_t list) const { return ends_[list]; }

  const float* row(size_t index) const { return rows_.data() + index * features_; }
  bool clicked(size_t row) const { return clicked_[row] != 0; }
  uint8_t group(size_t row) const { return groups_[row]; }
  float dwell_seconds(size_t list) const { return dwell_seconds_[list]; }

 private:
  void check(const Batch& batch) const;

  const uint32_t features_;
  std::vector<float> rows_;
  std::vector<size_t> ends_;
  std::vector<uint8_t> clicked_;
  std::vector<uint8_t> groups_;
  std::vector<float> dwell_seconds_;
};

}  // namespace feedrank
