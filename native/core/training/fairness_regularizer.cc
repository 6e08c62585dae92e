#include "training/fairness_regularizer.h"

#include <torch/script.h>

#include <set>
#include <vector>

namespace feedrank {
namespace {

constexpr double kSmallestVariance = 1e-12;

at::Tensor nothing(const at::Tensor& scores) { return at::zeros({}, scores.options()); }

/// Calls `add(membership)` for each group that some of the codes, but not all, have: 1 for the
/// group's own and 0 for the others'.
template <typename Add>
void for_each_group(const std::vector<uint8_t>& codes, Add&& add) {
  const std::set<uint8_t> found(codes.begin(), codes.end());
  // The second of two groups only says again what the first has said.
  const size_t groups = found.size() < 3 ? found.size() - 1 : found.size();
  auto group = found.begin();
  for (size_t g = 0; g < groups; ++g, ++group) {
    std::vector<float> membership(codes.size());
    for (size_t i = 0; i < codes.size(); ++i) membership[i] = codes[i] == *group ? 1.0F : 0.0F;
    add(at::tensor(membership, at::kFloat));
  }
}

at::Tensor pairwise_penalty(const at::Tensor& scores, const ListBatch& batch) {
  const size_t pairs = batch.pair_clicked.size();
  bool across = false;
  for (size_t p = 0; p < pairs && !across; ++p) {
    across = batch.groups[batch.pair_clicked[p]] != batch.groups[batch.pair_unclicked[p]];
  }
  std::vector<int64_t> higher;
  std::vector<int64_t> lower;
  std::vector<uint8_t> codes;
  for (size_t p = 0; p < pairs; ++p) {
    const uint8_t ours = batch.groups[batch.pair_clicked[p]];
    const uint8_t theirs = batch.groups[batch.pair_unclicked[p]];
    if (ours == RankingLists::kNoGroup || theirs == RankingLists::kNoGroup) continue;
    if (across && ours == theirs) continue;
    higher.push_back(batch.pair_clicked[p]);
    lower.push_back(batch.pair_unclicked[p]);
    codes.push_back(ours);
  }
  if (codes.empty()) return nothing(scores);
  const at::Tensor margins = scores.index_select(0, at::tensor(higher, at::kLong)) -
                             scores.index_select(0, at::tensor(lower, at::kLong));
  const at::Tensor centred = margins - margins.mean();
  const at::Tensor variance = (centred * centred).mean();
  at::Tensor sum = nothing(scores);
  int count = 0;
  for_each_group(codes, [&](const at::Tensor& membership) {
    const at::Tensor belongs = membership - membership.mean();
    const at::Tensor spread = (belongs * belongs).mean();
    sum = sum + ((centred * belongs).mean() /
                 at::sqrt(at::clamp_min(variance * spread, kSmallestVariance)))
                    .abs();
    ++count;
  });
  return count == 0 ? sum : sum / count;
}

at::Tensor disparity_penalty(const at::Tensor& scores, const ListBatch& batch) {
  std::vector<int64_t> rows;
  std::vector<int64_t> lists;
  std::vector<uint8_t> codes;
  for (size_t row = 0; row < batch.groups.size(); ++row) {
    if (batch.groups[row] == RankingLists::kNoGroup) continue;
    rows.push_back(static_cast<int64_t>(row));
    lists.push_back(batch.list_of_row[row]);
    codes.push_back(batch.groups[row]);
  }
  if (codes.empty()) return nothing(scores);
  const at::Tensor of_groups = scores.index_select(0, at::tensor(rows, at::kLong));
  const at::Tensor list_of_row = at::tensor(lists, at::kLong);
  at::Tensor sum = nothing(scores);
  int count = 0;
  for_each_group(codes, [&](const at::Tensor& membership) {
    const at::Tensor others = 1 - membership;
    // Each row's share of the difference of the means.
    const at::Tensor shares = membership / membership.sum() - others / others.sum();
    const at::Tensor difference = (of_groups * shares).sum();
    const at::Tensor mean_ours = (of_groups * membership).sum() / membership.sum();
    const at::Tensor mean_others = (of_groups * others).sum() / others.sum();
    const at::Tensor residuals = of_groups - membership * mean_ours - others * mean_others;
    const at::Tensor pooled = at::clamp_min((residuals * residuals).mean(), kSmallestVariance);
    const at::Tensor of_lists =
        at::zeros({batch.lists}, scores.options()).index_add(0, list_of_row, residuals * shares);
    const at::Tensor squared_error = (of_lists * of_lists).sum();
    sum = sum + at::sqrt(at::clamp_min((difference * difference + squared_error) / pooled,
                                       kSmallestVariance));
    ++count;
  });
  return count == 0 ? sum : sum / count;
}

}  // namespace

at::Tensor fairness_penalty(FairnessRegularizer kind, const at::Tensor& scores,
                            const ListBatch& batch) {
  return kind == FairnessRegularizer::kPairwise ? pairwise_penalty(scores, batch)
                                                : disparity_penalty(scores, batch);
}

}  // namespace feedrank
