#include "training/ranker_network.h"

#include <torch/script.h>

#include <cmath>
#include <sstream>

#include "error.h"

namespace feedrank {
namespace {

at::Tensor tensor_of(const std::vector<float>& values) {
  return at::from_blob(const_cast<float*>(values.data()), {static_cast<int64_t>(values.size())},
                       at::kFloat)
      .clone();
}

std::string indented(const std::string& line) { return "    " + line + "\n"; }

/// The forward pass, whose one definition is both trained and served. Only what is trained takes
/// masks.
std::string forward_source(const RankerArchitecture& architecture, bool masked) {
  std::string source = masked
                           ? "def forward(self, features: Tensor, masks: List[Tensor]) -> Tensor:\n"
                           : "def forward(self, features: Tensor) -> Tensor:\n";
  source += indented("x = torch.clamp((features - self.mean) * self.scale, -5.0, 5.0)");
  if (architecture.cross_layers > 0) source += indented("x0 = x");
  for (uint32_t c = 0; c < architecture.cross_layers; ++c) {
    const std::string n = std::to_string(c);
    source += indented("x = x + x0 * torch.linear(x, self.cross_weight" + n + ", self.cross_bias" +
                       n + ")");
  }
  for (size_t l = 0; l < architecture.hidden.size(); ++l) {
    const std::string n = std::to_string(l);
    source += indented("x = torch.relu(torch.linear(x, self.weight" + n + ", self.bias" + n + "))");
    if (masked) {
      source += indented("if len(masks) > 0:");
      source += indented("    x = x * masks[" + n + "]");
    }
  }
  return source + indented("return torch.linear(x, self.head_weight, self.head_bias)");
}

torch::jit::Module served_copy(const RankerArchitecture& architecture,
                               const torch::jit::Module& trained) {
  torch::jit::Module module("Network");
  for (const char* name : {"mean", "scale"}) {
    module.register_buffer(name, trained.attr(name).toTensor().clone());
  }
  for (const NetworkLayer& layer : network_layers(architecture)) {
    for (const std::string& name : {layer.weight, layer.bias}) {
      module.register_parameter(name, trained.attr(name).toTensor().detach().clone(), false);
    }
  }
  module.define(forward_source(architecture, false));
  return module;
}

/// The source of the last head, and the buffers that it reads.
std::string calibrate(torch::jit::Module& module, const ClickCalibration& calibration) {
  switch (calibration.kind) {
    case ClickCalibration::Kind::kNone:
      return indented("return scores");
    case ClickCalibration::Kind::kPlatt:
      module.register_buffer("platt",
                             at::tensor({calibration.slope, calibration.offset}, at::kFloat));
      return indented("probability = torch.sigmoid(scores[:, 0] * self.platt[0] + self.platt[1])") +
             indented("return torch.cat([scores, probability.unsqueeze(1)], 1)");
    case ClickCalibration::Kind::kIsotonic:
      break;
  }
  module.register_buffer("knots", tensor_of(calibration.scores));
  module.register_buffer("levels", tensor_of(calibration.probabilities));
  const std::string last = std::to_string(calibration.scores.size() - 1);
  return indented("score = scores[:, 0].contiguous()") +
         indented("right = torch.clamp(torch.searchsorted(self.knots, score), 1, " + last + ")") +
         indented("left = right - 1") + indented("span = self.knots[right] - self.knots[left]") +
         indented("share = torch.clamp((score - self.knots[left]) / span, 0.0, 1.0)") +
         indented("probability = torch.lerp(self.levels[left], self.levels[right], share)") +
         indented("return torch.cat([scores, probability.unsqueeze(1)], 1)");
}

}  // namespace

std::vector<NetworkLayer> network_layers(const RankerArchitecture& architecture) {
  std::vector<NetworkLayer> layers;
  int64_t width = architecture.features;
  for (uint32_t c = 0; c < architecture.cross_layers; ++c) {
    const std::string n = std::to_string(c);
    layers.push_back(
        {"cross_weight" + n, "cross_bias" + n, width, width, NetworkLayer::Role::kCross});
  }
  for (size_t l = 0; l < architecture.hidden.size(); ++l) {
    const std::string n = std::to_string(l);
    layers.push_back(
        {"weight" + n, "bias" + n, width, architecture.hidden[l], NetworkLayer::Role::kHidden});
    width = architecture.hidden[l];
  }
  layers.push_back({"head_weight", "head_bias", width,
                    static_cast<int64_t>(architecture.heads.size()), NetworkLayer::Role::kHead});
  return layers;
}

torch::jit::Module make_trainable_network(const RankerArchitecture& architecture,
                                          const FeatureScaling& scaling, at::Generator generator) {
  torch::jit::Module module("TrainableNetwork");
  module.register_buffer("mean", tensor_of(scaling.mean));
  module.register_buffer("scale", tensor_of(scaling.scale));
  for (const NetworkLayer& layer : network_layers(architecture)) {
    const double bound = 1 / std::sqrt(static_cast<double>(layer.inputs));
    const auto drawn = [&](at::IntArrayRef shape) {
      return at::empty(shape, at::kFloat).uniform_(-bound, bound, generator).requires_grad_(true);
    };
    module.register_parameter(layer.weight, drawn({layer.outputs, layer.inputs}), false);
    module.register_parameter(layer.bias, drawn({layer.outputs}), false);
  }
  module.define(forward_source(architecture, true));
  return module;
}

torch::jit::Module make_ranker_module(const RankerArchitecture& architecture,
                                      const std::vector<torch::jit::Module>& members,
                                      const ClickCalibration& calibration) {
  torch::jit::Module module("Ranker");
  std::string sum;
  for (size_t m = 0; m < members.size(); ++m) {
    const std::string name = "member" + std::to_string(m);
    module.register_module(name, served_copy(architecture, members[m]));
    sum += (m == 0 ? "" : " + ") + ("self." + name) + ".forward(features)";
  }
  std::string source = "def forward(self, features: Tensor) -> Tensor:\n";
  source += indented(members.size() == 1
                         ? "scores = " + sum
                         : "scores = (" + sum + ") / " + std::to_string(members.size()) + ".0");
  source += calibrate(module, calibration);
  module.define(source);
  module.eval();
  return module;
}

std::string serialize_module(const torch::jit::Module& module) {
  std::ostringstream out;
  module.save(out);
  return std::move(out).str();
}

}  // namespace feedrank
