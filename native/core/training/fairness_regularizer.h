#pragma once

#include <torch/script.h>

#include "training/list_batch.h"
#include "training/ranker_training_options.h"

namespace feedrank {

/// How unequally `scores` (float32 [rows]) treat the groups of the batch: the mean over groups,
/// each against all others; 0 where fewer than two take part. Can be differentiated.
at::Tensor fairness_penalty(FairnessRegularizer kind, const at::Tensor& scores,
                            const ListBatch& batch);

}  // namespace feedrank
