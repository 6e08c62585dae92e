#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace feedrank {

/// A fully connected network, layer by layer, as TorchScript will hold it:
/// (x − mean) · scale, then linear layers with ReLU between them.
struct ScriptedNetwork {
  struct Layer {
    uint32_t inputs = 0;
    uint32_t outputs = 0;
    std::vector<float> weights;  // outputs × inputs, row-major
    std::vector<float> bias;     // outputs
  };

  std::vector<float> mean;   // one value a feature
  std::vector<float> scale;  // one value a feature
  std::vector<Layer> layers;
};

/// Builds the TorchScript module in this process and writes it to `path`. Throws INVALID_ARGUMENT
/// where the sizes do not fit together, and FILE_NOT_WRITTEN.
void save_scripted_network(const ScriptedNetwork& network, const std::string& path);

}  // namespace feedrank
