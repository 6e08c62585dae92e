#include "training/sampled_softmax.h"

#include <limits>

namespace feedrank {

at::Tensor sampled_softmax_loss(const at::Tensor& logits, const at::Tensor& log_q,
                                const at::Tensor& items, const at::Tensor& age_hours) {
  at::Tensor left_out = items.unsqueeze(1).eq(items.unsqueeze(0)).logical_or(age_hours.lt(0));
  left_out.fill_diagonal_(false);
  const at::Tensor corrected =
      (logits - log_q.unsqueeze(0)).masked_fill(left_out, -std::numeric_limits<float>::infinity());
  return -at::log_softmax(corrected, 1).diagonal().mean();
}

}  // namespace feedrank
