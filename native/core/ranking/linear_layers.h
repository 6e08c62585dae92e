#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include <optional>
#include <string>
#include <vector>

namespace feedrank {

/// x · weightᵀ + bias, then an activation.
struct LinearLayer {
  torch::jit::Node* first;  // what multiplies
  torch::jit::Node* sum;    // what gives the result before the activation
  torch::jit::Node* last;   // what gives the result
  size_t x;                 // which of the first node's inputs is [..., inputs]
  at::Tensor weight;        // [outputs, inputs]
  at::Tensor bias;          // [outputs], or undefined
  // As oneDNN calls the activation; ReLU is "leaky_relu" with a slope that no sum notices.
  std::string activation = "none";
  std::string algorithm;
  std::optional<double> slope;
};

/// Whether a layer has more outputs than the 16 up to which one stays float32 in each precision: it
/// costs little, and scores of 8 bits would be full of ties.
inline bool is_wide(const LinearLayer& layer) { return layer.weight.size(0) > 16; }

/// The linear layers of a frozen graph, in the order in which they are computed: linear, addmm, mm
/// or matmul with a constant weight, and the addition of a constant row behind one, all finite. The
/// activation that alone reads a layer (GELU, SiLU, sigmoid, tanh; ReLU where only layers read it)
/// is a part of it.
std::vector<LinearLayer> find_linear_layers(torch::jit::Graph& graph);

}  // namespace feedrank
