#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include <cstdint>
#include <vector>

namespace feedrank {

/// A linear layer whose weights are int8: of each output, codes from −127 to 127 over as far as its
/// own weights reach.
struct Int8Layer {
  at::Tensor weight;       // [outputs, inputs], as oneDNN's int8 product reads it
  at::Tensor step;         // [outputs]: what a code's unit is worth
  at::Tensor weight_sums;  // [outputs]: sums of codes
  at::Tensor bias;         // [outputs]
  int64_t inputs;
  int64_t outputs;
  bool relu;
};

/// From a finite dense weight [outputs, inputs] and a bias [outputs], or an undefined one.
Int8Layer quantized_layer(const at::Tensor& weight, const at::Tensor& bias, bool relu);

/// The greatest code of an input with which oneDNN's int8 product is exact on this processor: 255;
/// 127 where two products of a code of 8 bits may exceed the 16 bits that they are added in
/// (processors without VNNI); 0 where there is no such product.
int32_t greatest_input_code();

/// Puts layers, each of which reads what the one before it gives, into a graph where it inserts, as
/// one node from float32 [..., inputs] to float32 [..., outputs]. Inputs of each layer are rounded
/// to codes of 8 bits, over as far as the numbers of the row reach: a row's answer depends on that
/// row alone, and since codes are summed up as integers, to the last bit. A row that holds NaN or
/// infinity answers NaN.
torch::jit::Value* insert_int8_chain(torch::jit::Graph& graph, torch::jit::Value* x,
                                     const std::vector<Int8Layer>& layers);

}  // namespace feedrank
