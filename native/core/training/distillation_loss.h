#pragma once

#include <torch/script.h>

#include "training/list_batch.h"

namespace feedrank {

/// How far `scores` (float32 [rows]) are from the teacher's within each list: the squared
/// difference of the two, each minus its mean over the list, averaged over a list's rows and then
/// over lists. Only differences within a list order it, so its level is the student's own (logits
/// are matched as in Ba and Caruana 2014, "Do deep nets really need to be deep?"). Can be
/// differentiated.
at::Tensor distillation_loss(const at::Tensor& scores, const ListBatch& batch);

}  // namespace feedrank
