#pragma once

#include <cstdint>
#include <vector>

#include "slate/selection_pool.h"
#include "slate/similarity.h"

namespace feedrank {

/// The Jaccard index of two items' topics, |A ∩ B| / |A ∪ B|, in [0, 1]; its matrix is positive
/// semi-definite (Gower 1971). Items without topics are similar to nothing.
class TopicSimilarity final : public Similarity {
 public:
  explicit TopicSimilarity(const SelectionPool& pool);

  void to_all(size_t item, std::span<double> out) const override;

 private:
  std::vector<uint32_t> topics_;  // renumbered; of all items, one after another, each once an item
  std::vector<size_t> begin_;     // [item], and the end
  size_t distinct_ = 0;
};

}  // namespace feedrank
