#include "training/pruning.h"

#include <torch/csrc/autograd/autograd.h>
#include <torch/script.h>

#include <cmath>
#include <string>

#include "error.h"
#include "training/ranker_network.h"

namespace feedrank {
namespace {

void check_narrower(const RankerArchitecture& from, const RankerArchitecture& to) {
  bool fits = from.features == to.features && from.cross_layers == to.cross_layers &&
              from.heads == to.heads && from.hidden.size() == to.hidden.size();
  for (size_t l = 0; fits && l < from.hidden.size(); ++l) fits = to.hidden[l] <= from.hidden[l];
  if (fits) return;
  throw Error("INVALID_ARGUMENT", "hidden",
              "hidden: expected as many layers as the network that is pruned has, and none wider");
}

/// The places of the `count` largest, in rising order.
at::Tensor places_of_largest(const at::Tensor& importance, int64_t count) {
  const at::Tensor order = at::argsort(importance, /*stable=*/true, /*dim=*/0, /*descending=*/true);
  return std::get<0>(order.narrow(0, 0, count).sort());
}

void copy_into(torch::jit::Module& target, const std::string& name, const at::Tensor& value) {
  target.attr(name).toTensor().copy_(value);
}

}  // namespace

std::vector<at::Tensor> unit_importance(
    const RankerArchitecture& architecture, int batches,
    const std::function<at::Tensor(const std::vector<at::Tensor>& masks)>& loss_of) {
  std::vector<at::Tensor> importance;
  for (const uint32_t width : architecture.hidden) {
    importance.push_back(at::zeros({static_cast<int64_t>(width)}, at::kFloat));
  }
  if (importance.empty()) return importance;
  for (int batch = 0; batch < batches; ++batch) {
    std::vector<at::Tensor> masks;
    for (const at::Tensor& layer : importance) {
      masks.push_back(at::ones({1, layer.size(0)}, at::kFloat).requires_grad_(true));
    }
    const auto gradients = torch::autograd::grad({loss_of(masks)}, masks);
    for (size_t l = 0; l < importance.size(); ++l) {
      importance[l] += gradients[l].detach().square().squeeze(0) / batches;
    }
  }
  return importance;
}

void copy_most_important(const RankerArchitecture& from, const torch::jit::Module& source,
                         const std::vector<at::Tensor>& importance, const RankerArchitecture& to,
                         torch::jit::Module& target) {
  check_narrower(from, to);
  const at::NoGradGuard no_gradients;
  for (const char* name : {"mean", "scale"}) copy_into(target, name, source.attr(name).toTensor());
  at::Tensor inputs;  // what is left of the layer before; undefined: all of it
  size_t hidden = 0;
  for (const NetworkLayer& layer : network_layers(from)) {
    at::Tensor weight = source.attr(layer.weight).toTensor();
    at::Tensor bias = source.attr(layer.bias).toTensor();
    if (inputs.defined()) weight = weight.index_select(1, inputs);
    if (layer.role == NetworkLayer::Role::kHidden) {
      inputs = places_of_largest(importance[hidden], to.hidden[hidden]);
      weight = weight.index_select(0, inputs);
      bias = bias.index_select(0, inputs);
      ++hidden;
    }
    copy_into(target, layer.weight, weight);
    copy_into(target, layer.bias, bias);
  }
}

std::vector<at::Tensor> magnitude_masks(const RankerArchitecture& architecture,
                                        const torch::jit::Module& network, double sparsity) {
  const at::NoGradGuard no_gradients;
  std::vector<at::Tensor> masks;
  for (const NetworkLayer& layer : network_layers(architecture)) {
    const at::Tensor weight = network.attr(layer.weight).toTensor();
    const auto dropped =
        static_cast<int64_t>(std::floor(sparsity * static_cast<double>(weight.numel())));
    if (layer.role == NetworkLayer::Role::kHead || dropped == 0) {
      masks.emplace_back();
    } else {
      const at::Tensor nearest = at::argsort(weight.abs().flatten(), /*stable=*/true, /*dim=*/0);
      at::Tensor mask = at::ones({weight.numel()}, at::kFloat);
      mask.index_fill_(0, nearest.narrow(0, 0, dropped), 0.0);
      masks.push_back(mask.view(weight.sizes()));
    }
    masks.emplace_back();  // the bias
  }
  return masks;
}

}  // namespace feedrank
