#include "training/ranking_loss.h"

#include <torch/script.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace feedrank {
namespace {

/// |ΔnDCG| of each pair, were its two rows to swap places in the order of `scores`.
at::Tensor swap_gains(const at::Tensor& scores, const ListBatch& batch) {
  const at::Tensor detached = scores.detach().contiguous();
  const auto* score = detached.data_ptr<float>();
  const size_t rows = batch.list_of_row.size();
  std::vector<double> discount(rows);
  std::vector<double> ideal(static_cast<size_t>(batch.lists), 0.0);
  std::vector<uint32_t> clicks(static_cast<size_t>(batch.lists), 0);
  std::vector<size_t> order;
  for (size_t begin = 0; begin < rows;) {
    size_t end = begin;
    while (end < rows && batch.list_of_row[end] == batch.list_of_row[begin]) ++end;
    order.resize(end - begin);
    for (size_t i = 0; i < order.size(); ++i) order[i] = begin + i;
    std::stable_sort(order.begin(), order.end(),
                     [score](size_t a, size_t b) { return score[a] > score[b]; });
    for (size_t place = 0; place < order.size(); ++place) {
      discount[order[place]] = 1 / std::log2(static_cast<double>(place) + 2);
    }
    begin = end;
  }
  int64_t last = -1;
  for (const int64_t row : batch.pair_clicked) {
    if (row == last) continue;
    last = row;
    const uint32_t list = batch.list_of_row[row];
    ideal[list] += 1 / std::log2(static_cast<double>(clicks[list]++) + 2);
  }
  std::vector<float> gains(batch.pair_clicked.size());
  for (size_t p = 0; p < gains.size(); ++p) {
    const int64_t higher = batch.pair_clicked[p];
    const double change = std::abs(discount[higher] - discount[batch.pair_unclicked[p]]);
    gains[p] = static_cast<float>(change / ideal[batch.list_of_row[higher]]);
  }
  return at::tensor(gains, at::kFloat);
}

at::Tensor softmax_loss(const at::Tensor& scores, const ListBatch& batch) {
  // Places beyond a list's end point at one more row, whose score takes no part in a softmax.
  constexpr double kNothing = -1e9;
  const at::Tensor padded = at::cat({scores, at::full({1}, kNothing, scores.options())});
  const at::Tensor side_by_side =
      padded.index_select(0, batch.places.view({-1})).view(batch.places.sizes()) +
      batch.corrections;
  const at::Tensor logarithms = at::log_softmax(side_by_side, 1);
  return -(logarithms * batch.targets).sum() / static_cast<double>(batch.lists);
}

}  // namespace

at::Tensor ranking_loss(RankingLoss loss, const at::Tensor& scores, const ListBatch& batch) {
  if (loss == RankingLoss::kSoftmax) return softmax_loss(scores, batch);
  const at::Tensor margins =
      scores.index_select(0, batch.clicked_rows) - scores.index_select(0, batch.unclicked_rows);
  const at::Tensor losses = at::softplus(-margins);
  const double lists = static_cast<double>(batch.lists);
  if (loss == RankingLoss::kPairwise) return (losses * batch.pair_weights).sum() / lists;
  return (losses * swap_gains(scores, batch)).sum() / lists;
}

}  // namespace feedrank
