#include "ranking/prepacked_linears.h"

#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/ir/ir.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "ranking/onednn_weight.h"

namespace feedrank {
namespace {

using torch::jit::Block;
using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;

/// Layers of no more outputs than this stay float32.
constexpr int64_t kNarrow = 16;

/// x · weightᵀ + bias, then an activation.
struct Layer {
  Node* first;        // what multiplies
  Node* last;         // what gives the result
  size_t x;           // which of the first node's inputs is [..., inputs]
  at::Tensor weight;  // [outputs, inputs]
  at::Tensor bias;    // [outputs], or undefined
  std::string activation = "none";
  std::string algorithm;
  std::optional<double> slope;
};

/// A constant dense float32 tensor of finite values; undefined where the value is something else.
at::Tensor constant_of(const Value* value) {
  const std::optional<c10::IValue> constant = torch::jit::toIValue(value);
  if (!constant || !constant->isTensor()) return {};
  const at::Tensor& tensor = constant->toTensor();
  const bool fits = tensor.defined() && tensor.layout() == at::kStrided &&
                    tensor.device().is_cpu() && tensor.scalar_type() == at::kFloat &&
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
void take_bias(Layer& layer) {
  Node* add = only_reader(layer.last);
  if (add == nullptr || !(is(add, "add") || is(add, "add_")) || add->inputs().size() != 3) return;
  const size_t product = add->input(0) == layer.last->output() ? 0 : 1;
  // `bias.add_(product)` would write into the bias.
  if (is(add, "add_") && product != 0) return;
  const at::Tensor bias = constant_of(add->input(1 - product));
  if (!is_bias(bias, layer.weight) || !is_one(add->input(2))) return;
  layer.bias = bias;
  layer.last = add;
}

/// Whether nothing but other layers, as their x, reads a node's result.
bool feeds_layers_alone(const Node* node, const std::vector<Layer>& layers) {
  const auto& uses = node->output()->uses();
  return std::all_of(uses.begin(), uses.end(), [&](const torch::jit::Use& use) {
    return std::any_of(layers.begin(), layers.end(), [&use](const Layer& layer) {
      return layer.first == use.user && layer.x == use.offset;
    });
  });
}

/// Takes an activation behind the layer into it.
void take_activation(Layer& layer, const std::vector<Layer>& layers) {
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

std::optional<Layer> layer_at(Node* node) {
  Layer layer{node, node, 0, {}, {}, "none", "", {}};
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

void find_layers(Block* block, std::vector<Layer>& layers) {
  for (Node* node : block->nodes()) {
    for (Block* inner : node->blocks()) find_layers(inner, layers);
    if (std::optional<Layer> layer = layer_at(node)) layers.push_back(std::move(*layer));
  }
}

Value* cast(Value* value, at::ScalarType type) {
  return value->owningGraph()->insert(c10::aten::to, {value, type});
}

/// Puts oneDNN's operator in front of the layer's first node, and gives the node that makes what
/// the layer's readers shall read.
Node* rewrite(const Layer& layer, bool narrow_type) {
  Graph& graph = *layer.first->owningGraph();
  const torch::jit::WithInsertPoint at_first(layer.first);
  const at::ScalarType type = narrow_type ? at::kBFloat16 : at::kFloat;
  Node* weight = graph.insertNode(graph.create(c10::prim::ConstantMKLDNNTensor));
  weight->t_(c10::attr::value, onednn_weight(layer.weight.to(type)));
  Value* bias = layer.bias.defined() ? graph.insertConstant(layer.bias.contiguous())
                                     : graph.insertConstant(c10::IValue());
  Value* x = layer.first->input(layer.x);
  if (narrow_type) x = cast(x, type);
  std::vector<Value*> slope;
  if (layer.slope) slope.push_back(graph.insertConstant(*layer.slope));
  Value* scalars =
      graph.insertNode(graph.createList(c10::OptionalType::create(c10::NumberType::get()), slope))
          ->output();
  Node* linear = graph.insertNode(
      graph.create(c10::Symbol::fromQualString("mkldnn::_linear_pointwise"),
                   {x, weight->output(), bias, graph.insertConstant(layer.activation), scalars,
                    graph.insertConstant(layer.algorithm)}));
  Value* result = narrow_type ? cast(linear->output(), at::kFloat) : linear->output();
  layer.last->output()->replaceAllUsesWith(result);
  return result->node();
}

bool is_cast_to(const Node* node, at::ScalarType type) {
  if (!is(node, "to") || node->inputs().size() < 2) return false;
  const std::optional<c10::IValue> to = torch::jit::toIValue(node->input(1));
  return to && to->isInt() && to->toInt() == static_cast<int64_t>(type);
}

/// A layer's result that is read by casts to bfloat16 alone need not be cast to float32 before.
void drop_casts(Node* to_float) {
  const std::vector<torch::jit::Use> uses = to_float->output()->uses();
  for (const torch::jit::Use& use : uses) {
    if (!is_cast_to(use.user, at::kBFloat16)) return;
  }
  for (const torch::jit::Use& use : uses) {
    use.user->output()->replaceAllUsesWith(to_float->input(0));
  }
}

}  // namespace

size_t prepack_linears(torch::jit::Module& frozen, Precision precision) {
  if (!at::globalContext().userEnabledMkldnn() || !at::globalContext().hasMKLDNN()) return 0;
  const std::shared_ptr<Graph> graph = frozen.get_method("forward").graph();
  std::vector<Layer> layers;
  find_layers(graph->block(), layers);
  for (Layer& layer : layers) take_activation(layer, layers);
  std::vector<Node*> casts;
  for (const Layer& layer : layers) {
    const bool narrow_type = precision == Precision::kBfloat16 && layer.weight.size(0) > kNarrow;
    Node* result = rewrite(layer, narrow_type);
    if (narrow_type) casts.push_back(result);
  }
  // First the nodes that were replaced go: they still read the casts.
  torch::jit::EliminateDeadCode(graph);
  for (Node* to_float : casts) drop_casts(to_float);
  torch::jit::EliminateDeadCode(graph);
  return layers.size();
}

}  // namespace feedrank
