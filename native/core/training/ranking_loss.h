#pragma once

#include <torch/script.h>

#include "training/list_batch.h"
#include "training/ranker_training_options.h"

namespace feedrank {

/// How badly `scores` (float32 [rows]) order the batch: a scalar that can be differentiated.
at::Tensor ranking_loss(RankingLoss loss, const at::Tensor& scores, const ListBatch& batch);

}  // namespace feedrank
