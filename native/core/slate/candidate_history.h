#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace feedrank {

/// Where each candidate stood along the way, kept only for a query that asks for explanations. Rows
/// of every array are the candidates that are left, in their present order.
class CandidateHistory {
 public:
  static constexpr uint32_t kNowhere = std::numeric_limits<uint32_t>::max();

  struct Stage {
    std::string name;
    std::vector<uint32_t> positions;  // [candidate], once the stage had run
  };

  explicit CandidateHistory(uint32_t generators) : generators_(generators) {}

  void append() { source_positions_.insert(source_positions_.end(), generators_, kNowhere); }
  void set_source(size_t candidate, uint32_t generator, uint32_t position) {
    source_positions_[candidate * generators_ + generator] = position;
  }

  /// Notes that the candidates stand in their present order after this stage.
  void stand(const std::string& stage, size_t candidates) {
    std::vector<uint32_t> positions(candidates);
    for (size_t i = 0; i < candidates; ++i) positions[i] = static_cast<uint32_t>(i);
    stages_.push_back({stage, std::move(positions)});
  }
  /// Notes an order that a stage gave without moving the candidates: `order` lists them, best
  /// first, and leaves none out.
  void ordered(const std::string& stage, std::span<const uint32_t> order) {
    std::vector<uint32_t> positions(order.size());
    for (size_t i = 0; i < order.size(); ++i) positions[order[i]] = static_cast<uint32_t>(i);
    stages_.push_back({stage, std::move(positions)});
  }

  void keep_only(std::span<const uint8_t> keep) {
    thin_out(source_positions_, keep, generators_);
    for (Stage& stage : stages_) thin_out(stage.positions, keep, 1);
  }

  /// [candidate][generator]: position in the generator's own list; kNowhere where it was not found.
  const std::vector<uint32_t>& source_positions() const { return source_positions_; }
  const std::vector<Stage>& stages() const { return stages_; }

  /// [candidate][term]: what a model put out, before its heads were weighted; empty for other
  /// rankers.
  std::vector<double> outputs;

 private:
  static void thin_out(std::vector<uint32_t>& values, std::span<const uint8_t> keep, size_t width) {
    auto out = values.begin();
    for (size_t i = 0; i < keep.size(); ++i) {
      if (keep[i] == 0) continue;
      const auto from = values.begin() + static_cast<ptrdiff_t>(i * width);
      out = std::copy_n(from, width, out);
    }
    values.erase(out, values.end());
  }

  uint32_t generators_;
  std::vector<uint32_t> source_positions_;
  std::vector<Stage> stages_;
};

}  // namespace feedrank
