#pragma once

#include <torch/script.h>

#include <functional>
#include <vector>

#include "training/ranker_training_options.h"

namespace feedrank {

/// How much each unit of each hidden layer matters: the mean over batches of
/// (∂loss / ∂m)², where m = 1 multiplies the unit's output (Molchanov et al. 2019, "Importance
/// estimation for neural network pruning", eq. 8, with gates). One float32 [width] a layer.
/// `loss_of(masks)` gives a batch's loss, and is called `batches` times.
std::vector<at::Tensor> unit_importance(
    const RankerArchitecture& architecture, int batches,
    const std::function<at::Tensor(const std::vector<at::Tensor>& masks)>& loss_of);

/// Copies parameters and scaling of a network into one that is narrower, unit by unit: of each
/// hidden layer those that matter most, in their order. Throws INVALID_ARGUMENT where `to` is wider
/// or not of the same depth, inputs, cross layers and heads.
void copy_most_important(const RankerArchitecture& from, const torch::jit::Module& source,
                         const std::vector<at::Tensor>& importance, const RankerArchitecture& to,
                         torch::jit::Module& target);

/// For each parameter of the network, in the order of `parameters()`: 0 at the share `sparsity` of
/// a hidden layer's or cross layer's weights that are nearest to 0, 1 elsewhere (Han et al. 2015,
/// "Learning both weights and connections"). Undefined for biases and the head, which stay whole.
std::vector<at::Tensor> magnitude_masks(const RankerArchitecture& architecture,
                                        const torch::jit::Module& network, double sparsity);

}  // namespace feedrank
