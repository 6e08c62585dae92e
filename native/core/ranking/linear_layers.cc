#include "ranking/linear_layers.h"

#include <torch/csrc/jit/ir/constants.h>
#include <torch/script.h>

#include <algorithm>

namespace feedrank {
namespace {

using torch::jit::Block;
using torch::jit::Node;
using torch::jit::Value;

/// A constant dense float32 tensor of finite values; undefined where the value is something else.
at::Tensor constant_of(const Value* value) {
  const std::optional<c10::IValue> constant = torch::jit::toIValue(value);
  if (!constant || !constant->isTensor()) return {};
  const at::Tensor& tensor = constant->toTensor();
  const bool fits = tensor.defined() && tensor.layout() == at::kStrided &&
                    (tensor.is_cpu() || tensor.is_cuda()) && tensor.scalar_type() == at::kFloat &&
                    tensor.numel() > 0 && tensor.isfinite().all().item<bool>();
  return fits ? tensor : at::Tensor();
}

bool is_one(const Value* value) {
  const std::optional<c10::IValue> constant = torch::jit::toIValue(value);
  return constant && constant->isScalar() && constant->toScalar().equal(1);
}

bool is_none(const Value* value) {
  const std::optional<c10::IValue> constant = torch::jit::toIValue(value);
  return constant && constant->isNone();
}

bool is(const Node* node, const char* name) { return node->kind() == c10::Symbol::aten(name); }

/// A weight as x · weight takes it, [inputs, outputs], turned around.
at::Tensor turned(const at::Tensor& weight) {
  return weight.defined() && weight.dim() == 2 ? weight.t() : at::Tensor();
}

/// The node that alone reads a node's result, in the same block; null where there is none.
Node* only_reader(const Node* node) {
  const auto& uses = node->output()->uses();
  if (uses.size() != 1) return nullptr;
  Node* reader = uses.front().user;
  return reader->owningBlock() == node->owningBlock() ? reader : nullptr;
}

bool is_bias(const at::Tensor& bias, const at::Tensor& weight) {
  return bias.defined() && bias.dim() == 1 && bias.size(0) == weight.size(0);
}

/// Takes an add of a constant row behind the product into the layer.
void take_bias(LinearLayer& layer) {
  Node* add = only_reader(layer.last);
  if (add == nullptr || !(is(add, "add") || is(add, "add_")) || add->inputs().size() != 3) return;
  const size_t product = add->input(0) == layer.last->output() ? 0 : 1;
  // `bias.add_(product)` would write into the bias.
  if (is(add, "add_") && product != 0) return;
  const at::Tensor bias = constant_of(add->input(1 - product));
  if (!is_bias(bias, layer.weight) || !is_one(add->input(2))) return;
  layer.bias = bias;
  layer.sum = add;
  layer.last = add;
}

/// Whether nothing but other layers, as their x, reads a node's result.
bool feeds_layers_alone(const Node* node, const std::vector<LinearLayer>& layers) {
  const auto& uses = node->output()->uses();
  return std::all_of(uses.begin(), uses.end(), [&](const torch::jit::Use& use) {
    return std::any_of(layers.begin(), layers.end(), [&use](const LinearLayer& layer) {
      return layer.first == use.user && layer.x == use.offset;
    });
  });
}

/// Takes an activation behind the layer into it.
void take_activation(LinearLayer& layer, const std::vector<LinearLayer>& layers) {
  Node* next = only_reader(layer.last);
  if (next == nullptr) return;
  const size_t inputs = next->inputs().size();
  if ((is(next, "relu") || is(next, "relu_")) && feeds_layers_alone(next, layers)) {
    // oneDNN's ReLU makes 0 of NaN, which would hide that a model answers nonsense; with a slope it
    // keeps NaN. No sum of a layer behind it notices so slight a slope.
    layer.activation = "leaky_relu";
    layer.slope = 1e-30;
  } else if (is(next, "tanh") || is(next, "tanh_")) {
    layer.activation = "tanh";
  } else if (is(next, "sigmoid") || is(next, "sigmoid_")) {
    layer.activation = "sigmoid";
  } else if (is(next, "silu") || is(next, "silu_")) {
    layer.activation = "swish";
  } else if (is(next, "gelu") && inputs == 2) {
    const std::optional<c10::IValue> algorithm = torch::jit::toIValue(next->input(1));
    if (!algorithm || !algorithm->isString()) return;
    layer.activation = "gelu";
    layer.algorithm = algorithm->toStringRef();
  } else {
    return;
  }
  layer.last = next;
}

std::optional<LinearLayer> layer_at(Node* node) {
  LinearLayer layer{node, node, node, 0, {}, {}, "none", "", {}};
  const auto inputs = node->inputs();
  if (is(node, "linear") && inputs.size() == 3) {
    layer.weight = constant_of(inputs[1]);
    layer.bias = constant_of(inputs[2]);
    if (!layer.bias.defined() && !is_none(inputs[2])) return std::nullopt;
  } else if (is(node, "addmm") && inputs.size() == 5) {
    layer.x = 1;
    layer.weight = turned(constant_of(inputs[2]));
    layer.bias = constant_of(inputs[0]);
    if (!layer.bias.defined() || !is_one(inputs[3]) || !is_one(inputs[4])) return std::nullopt;
  } else if ((is(node, "mm") || is(node, "matmul")) && inputs.size() == 2) {
    layer.weight = turned(constant_of(inputs[1]));
  } else {
    return std::nullopt;
  }
  if (!layer.weight.defined() || layer.weight.dim() != 2) return std::nullopt;
  if (layer.bias.defined() && !is_bias(layer.bias, layer.weight)) return std::nullopt;
  if (!layer.bias.defined()) take_bias(layer);
  return layer;
}

void collect(Block* block, std::vector<LinearLayer>& layers) {
  for (Node* node : block->nodes()) {
    for (Block* inner : node->blocks()) collect(inner, layers);
    if (std::optional<LinearLayer> layer = layer_at(node)) layers.push_back(std::move(*layer));
  }
}

}  // namespace

std::vector<LinearLayer> find_linear_layers(torch::jit::Graph& graph) {
  std::vector<LinearLayer> layers;
  collect(graph.block(), layers);
  for (LinearLayer& layer : layers) take_activation(layer, layers);
  return layers;
}

}  // namespace feedrank
