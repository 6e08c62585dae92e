#pragma once

#include <torch/script.h>

namespace feedrank {

/// In-batch sampled softmax with correction for how likely each item is to be in a batch (Yi et al.
/// 2019, "Sampling-bias-corrected neural modeling for large corpus item recommendations"): the mean
/// over rows i of −log softmax_j(logits[i, j] − log q[j])[i].
///
/// Row i's own item is column i. Other columns with the same item are no negatives of it, and
/// neither is an item that was published after the row's time; both are left out.
///
/// `logits` float [b, b]; `log_q` float [b]; `items` int64 [b], which tells items apart;
/// `age_hours` float [b, b], negative where the column's item is not published yet.
at::Tensor sampled_softmax_loss(const at::Tensor& logits, const at::Tensor& log_q,
                                const at::Tensor& items, const at::Tensor& age_hours);

}  // namespace feedrank
