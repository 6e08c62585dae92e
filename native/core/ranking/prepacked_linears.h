#pragma once

#include <torch/script.h>

#include <cstddef>

#include "ranking/precision.h"

namespace feedrank {

/// Rewrites the linear layers of a frozen module's forward to oneDNN's, in place: LibTorch's own
/// call the vendor's matrix library, which takes a slow path on processors of other vendors. A
/// layer is x · W + b with constant W and b, written as linear, addmm, mm, matmul or an add behind
/// one, all finite; its weight is brought into oneDNN's layout once, here, and clones share it. An
/// activation that alone reads the layer (GELU, SiLU, sigmoid, tanh; ReLU where only layers read
/// it) is computed by the same kernel. Everything else of the graph stays as it is.
///
/// With kBfloat16 weights and inputs are rounded to bfloat16 (8 significant bits), sums are kept in
/// float32, and what one layer gives only to others stays bfloat16. Layers of at most 16 outputs
/// stay float32: they cost little, and scores of 8 bits would be full of ties.
///
/// With kInt8 they are rewritten as int8_chain.h says, ReLU with them, but for layers of at most 16
/// outputs, which stay float32, as above.
///
/// Returns the number of layers that were rewritten; 0 where LibTorch has no oneDNN.
size_t prepack_linears(torch::jit::Module& frozen, Precision precision);

}  // namespace feedrank
