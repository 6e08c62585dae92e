#include "ranking/scripted_network.h"

#include <torch/script.h>

#include "error.h"

namespace feedrank {
namespace {

at::Tensor tensor_of(const std::vector<float>& values, at::IntArrayRef shape) {
  return at::from_blob(const_cast<float*>(values.data()), shape, at::kFloat).clone();
}

void check(bool holds, const std::string& argument, const std::string& expected) {
  if (!holds) throw Error("INVALID_ARGUMENT", argument, argument + ": expected " + expected);
}

}  // namespace

void save_scripted_network(const ScriptedNetwork& network, const std::string& path) {
  check(!network.layers.empty(), "layers", "at least one layer");
  uint32_t width = network.layers.front().inputs;
  check(width > 0 && network.mean.size() == width && network.scale.size() == width, "mean",
        "one mean and one scale for each of the first layer's inputs");

  torch::jit::Module module("Ranker");
  module.register_buffer("mean", tensor_of(network.mean, {width}));
  module.register_buffer("scale", tensor_of(network.scale, {width}));
  std::string body =
      "def forward(self, features: Tensor) -> Tensor:\n"
      "    x = (features - self.mean) * self.scale\n";
  for (size_t l = 0; l < network.layers.size(); ++l) {
    const ScriptedNetwork::Layer& layer = network.layers[l];
    const std::string name = std::to_string(l);
    const std::string argument = "layers[" + name + "]";
    check(layer.inputs == width && layer.outputs > 0, argument,
          std::to_string(width) + " inputs and at least one output");
    check(layer.weights.size() == size_t{layer.inputs} * layer.outputs &&
              layer.bias.size() == layer.outputs,
          argument, "outputs × inputs weights and one bias an output");
    module.register_parameter("weight" + name, tensor_of(layer.weights, {layer.outputs, width}),
                              false);
    module.register_parameter("bias" + name, tensor_of(layer.bias, {layer.outputs}), false);
    const std::string linear = "torch.linear(x, self.weight" + name + ", self.bias" + name + ")";
    const bool last = l + 1 == network.layers.size();
    body += last ? "    return " + linear + "\n" : "    x = torch.relu(" + linear + ")\n";
    width = layer.outputs;
  }
  module.define(body);
  module.eval();
  try {
    module.save(path);
  } catch (const std::exception&) {
    throw Error("FILE_NOT_WRITTEN", "path", "path: cannot write model file '" + path + "'");
  }
}

}  // namespace feedrank
