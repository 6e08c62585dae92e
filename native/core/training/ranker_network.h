#pragma once

#include <torch/script.h>

#include <cstdint>
#include <string>
#include <vector>

#include "training/click_calibration.h"
#include "training/ranker_training_options.h"

namespace feedrank {

/// How the training set's features are spread; one value a feature. A scale of 0 blinds the network
/// to a feature that never varies.
struct FeatureScaling {
  std::vector<float> mean;
  std::vector<float> scale;
};

/// One linear layer of a network: the names of its parameters, [outputs, inputs] and [outputs].
struct NetworkLayer {
  enum class Role : uint8_t { kCross, kHidden, kHead };
  std::string weight;
  std::string bias;
  int64_t inputs;
  int64_t outputs;
  Role role;
};

/// In the order of the forward pass, which is that of the module's parameters.
std::vector<NetworkLayer> network_layers(const RankerArchitecture& architecture);

/// A network whose parameters can be trained. `forward(features, masks)` takes one mask a hidden
/// layer, which multiplies the layer's output (dropout with the caller's own random numbers), or
/// none. Parameters start uniform within ±1/√inputs, drawn from `generator`.
torch::jit::Module make_trainable_network(const RankerArchitecture& architecture,
                                          const FeatureScaling& scaling, at::Generator generator);

/// The module to serve: the mean of the members' heads, and with a calibration a last head
/// `click_probability`. `forward(features [n, f])` gives [n, heads]. Members are networks as above,
/// of one architecture; they are copied.
torch::jit::Module make_ranker_module(const RankerArchitecture& architecture,
                                      const std::vector<torch::jit::Module>& members,
                                      const ClickCalibration& calibration);

/// The module as the bytes of a TorchScript file.
std::string serialize_module(const torch::jit::Module& module);

}  // namespace feedrank
