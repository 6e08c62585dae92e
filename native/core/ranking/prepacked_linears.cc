#include "ranking/prepacked_linears.h"

#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/ir/ir.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "ranking/int8_chain.h"
#include "ranking/linear_layers.h"
#include "ranking/onednn_weight.h"

namespace feedrank {
namespace {

using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;

/// Sums of more products of a code up to 255 and one up to 127 may exceed 32 bits.
constexpr int64_t kMostInt8Inputs = 65'536;

Value* cast(Value* value, at::ScalarType type) {
  return value->owningGraph()->insert(c10::aten::to, {value, type});
}

/// Puts oneDNN's operator in front of the layer's first node, and gives the node that makes what
/// the layer's readers shall read.
Node* rewrite(const LinearLayer& layer, bool narrow_type) {
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
  if (node->kind() != c10::aten::to || node->inputs().size() < 2) return false;
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

void rewrite_to_onednn(const std::shared_ptr<Graph>& graph, const std::vector<LinearLayer>& layers,
                       Precision precision) {
  std::vector<Node*> casts;
  for (const LinearLayer& layer : layers) {
    const bool narrow_type = precision == Precision::kBfloat16 && is_wide(layer);
    Node* result = rewrite(layer, narrow_type);
    if (narrow_type) casts.push_back(result);
  }
  // First the nodes that were replaced go: they still read the casts.
  torch::jit::EliminateDeadCode(graph);
  for (Node* to_float : casts) drop_casts(to_float);
  torch::jit::EliminateDeadCode(graph);
}

bool fits_int8(const LinearLayer& layer) {
  return is_wide(layer) && layer.weight.size(1) <= kMostInt8Inputs;
}

/// Whether a chain of layers computes the layer's activation.
bool is_whole(const LinearLayer& layer) { return layer.activation == "none" || layer.slope; }

/// Whether the layer `next` alone reads what `layer` gives.
bool leads_to(const LinearLayer& layer, const LinearLayer& next) {
  const auto& uses = layer.last->output()->uses();
  return is_whole(layer) && uses.size() == 1 && uses.front().user == next.first &&
         uses.front().offset == next.x && next.first->owningBlock() == layer.first->owningBlock();
}

/// Takes what fits out of `layers`, and rewrites it to chains of int8 layers.
void rewrite_to_int8(Graph& graph, std::vector<LinearLayer>& layers) {
  std::vector<std::vector<LinearLayer>> chains;
  std::vector<LinearLayer> rest;
  for (LinearLayer& layer : layers) {
    if (!fits_int8(layer)) {
      rest.push_back(std::move(layer));
      continue;
    }
    const auto before = std::find_if(chains.begin(), chains.end(), [&layer](const auto& chain) {
      return leads_to(chain.back(), layer);
    });
    if (before != chains.end()) {
      before->push_back(std::move(layer));
    } else {
      chains.push_back({std::move(layer)});
    }
  }
  for (const std::vector<LinearLayer>& chain : chains) {
    std::vector<Int8Layer> quantized;
    for (const LinearLayer& layer : chain) {
      quantized.push_back(quantized_layer(layer.weight, layer.bias, layer.slope.has_value()));
    }
    const LinearLayer& end = chain.back();
    // An activation that the chain does not compute stays behind it.
    Node* const replaced = is_whole(end) ? end.last : end.sum;
    const torch::jit::WithInsertPoint at_end(replaced);
    const LinearLayer& begin = chain.front();
    Value* const result = insert_int8_chain(graph, begin.first->input(begin.x), quantized);
    replaced->output()->replaceAllUsesWith(result);
  }
  layers = std::move(rest);
}

}  // namespace

size_t prepack_linears(torch::jit::Module& frozen, Precision precision) {
  if (!at::globalContext().userEnabledMkldnn() || !at::globalContext().hasMKLDNN()) return 0;
  const std::shared_ptr<Graph> graph = frozen.get_method("forward").graph();
  std::vector<LinearLayer> layers = find_linear_layers(*graph);
  const size_t found = layers.size();
  if (precision == Precision::kInt8) rewrite_to_int8(*graph, layers);
  rewrite_to_onednn(graph, layers, precision);
  return found;
}

}  // namespace feedrank
