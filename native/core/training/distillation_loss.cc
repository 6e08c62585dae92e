#include "training/distillation_loss.h"

#include <torch/script.h>

#include <vector>

namespace feedrank {

at::Tensor distillation_loss(const at::Tensor& scores, const ListBatch& batch) {
  std::vector<float> lengths(static_cast<size_t>(batch.lists), 0.0F);
  for (const uint32_t list : batch.list_of_row) lengths[list] += 1;
  const std::vector<int64_t> lists(batch.list_of_row.begin(), batch.list_of_row.end());
  const at::Tensor list_of_row = at::tensor(lists, at::kLong);
  const at::Tensor length = at::tensor(lengths, at::kFloat);
  const at::Tensor apart = scores - batch.teacher_scores;
  const at::Tensor means =
      at::zeros({batch.lists}, scores.options()).index_add(0, list_of_row, apart) / length;
  const at::Tensor centred = apart - means.index_select(0, list_of_row);
  return (centred * centred / length.index_select(0, list_of_row)).sum() /
         static_cast<double>(batch.lists);
}

}  // namespace feedrank
