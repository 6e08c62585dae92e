#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "slate/similarity.h"

namespace feedrank {

/// Another similarity, whose answers are kept for when they are asked for again.
class RememberedSimilarity final : public Similarity {
 public:
  explicit RememberedSimilarity(std::unique_ptr<const Similarity> similarity)
      : similarity_(std::move(similarity)) {}

  void to_all(size_t item, std::span<double> out) const override {
    const auto known = rows_.find(item);
    if (known != rows_.end()) {
      std::copy(known->second.begin(), known->second.end(), out.begin());
      return;
    }
    similarity_->to_all(item, out);
    if (rows_.size() < kMost) rows_.emplace(item, std::vector<double>(out.begin(), out.end()));
  }

 private:
  static constexpr size_t kMost = 128;

  std::unique_ptr<const Similarity> similarity_;
  mutable std::unordered_map<size_t, std::vector<double>> rows_;
};

}  // namespace feedrank
