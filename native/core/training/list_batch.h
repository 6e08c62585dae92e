#pragma once

#include <torch/script.h>

#include <cstdint>
#include <span>
#include <vector>

#include "training/ranking_lists.h"

namespace feedrank {

/// Some lists of a training set as tensors. Rows of all lists follow one another; scores of them
/// are [rows].
struct ListBatch {
  int64_t lists = 0;
  at::Tensor features;   // float32 [rows, f]
  at::Tensor positions;  // int64 [rows]: place in the list as it was shown, at most kLastPosition
  at::Tensor teacher_scores;  // float32 [rows]; undefined where there is no teacher

  /// Pairs of a clicked and an unclicked row of one list, as positions among the rows.
  at::Tensor clicked_rows;    // int64 [pairs]
  at::Tensor unclicked_rows;  // int64 [pairs]
  at::Tensor pair_weights;    // float32 [pairs]; those of one list add up to 1

  /// The lists side by side, for what looks at a list as a whole.
  at::Tensor places;       // int64 [lists, width] among the rows; `rows` where a list is shorter
  at::Tensor corrections;  // float32 [lists, width]: added to a sampled row's score
  at::Tensor
      targets;  // float32 [lists, width]: shares of the clicks; those of one list add up to 1

  /// Rows whose reading time is known, and ln(1 + seconds) of it.
  at::Tensor read_rows;    // int64 [reads]
  at::Tensor log_seconds;  // float32 [reads]

  std::vector<uint8_t> groups;        // one a row
  std::vector<uint32_t> list_of_row;  // one a row
  std::vector<int64_t> pair_clicked;  // as the tensors
  std::vector<int64_t> pair_unclicked;

  static constexpr int64_t kLastPosition = 49;
};

/// Gathers lists. Of a list with more than `negatives` unclicked rows just so many are drawn for
/// `places`, and their scores are corrected by ln(unclicked / drawn), so that the sampled softmax
/// estimates the full one (Jean et al. 2015, arXiv 1412.2007, for a uniform proposal).
/// `teacher_scores` are one a row of the data, or none.
ListBatch gather_lists(const RankingLists& data, const std::vector<int64_t>& lists,
                       uint32_t negatives, at::Generator generator,
                       std::span<const float> teacher_scores = {});

}  // namespace feedrank
