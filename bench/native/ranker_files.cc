#include "ranker_files.h"

#include <torch/script.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <random>
#include <stdexcept>

namespace feedrank::bench {
namespace {

constexpr uint32_t kWidths[] = {kRankerFeatures, 512, 256, 1};

void write_values(const std::filesystem::path& path, const std::vector<float>& values) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(values.data()),
             static_cast<std::streamsize>(values.size() * sizeof(float)));
  if (!file.flush()) throw std::runtime_error("cannot write " + path.string());
}

}  // namespace

std::vector<float> ranker_features() {
  std::mt19937_64 random(2);
  std::normal_distribution<float> normal;
  std::vector<float> features(size_t{kRankedRows} * kRankerFeatures);
  for (float& value : features) value = normal(random);
  return features;
}

std::string write_ranker(const std::string& folder) {
  std::mt19937_64 random(1);
  torch::jit::Module module("Ranker");
  std::string body = "def forward(self, x: Tensor) -> Tensor:\n";
  std::vector<float> all;
  const auto add = [&](const std::string& name, std::vector<int64_t> shape, float bound) {
    std::uniform_real_distribution<float> even(-bound, bound);
    const at::Tensor values = at::empty(shape, at::kFloat);
    for (int64_t i = 0; i < values.numel(); ++i) {
      all.push_back(values.data_ptr<float>()[i] = even(random));
    }
    module.register_parameter(name, values, false);
  };
  constexpr size_t kLayers = std::size(kWidths) - 1;
  for (size_t l = 0; l < kLayers; ++l) {
    const std::string number = std::to_string(l);
    const float bound = std::sqrt(6.0F / static_cast<float>(kWidths[l]));
    add("weight" + number, {kWidths[l + 1], kWidths[l]}, bound);
    add("bias" + number, {kWidths[l + 1]}, 0.1F);
    const std::string linear =
        "torch.linear(x, self.weight" + number + ", self.bias" + number + ")";
    body +=
        l + 1 == kLayers ? "    return " + linear + "\n" : "    x = torch.relu(" + linear + ")\n";
  }
  module.define(body);
  module.eval();
  const std::filesystem::path path(folder);
  module.save((path / "ranker.pt").string());
  write_values(path / "ranker.weights", all);
  write_values(path / "ranker.features", ranker_features());
  return (path / "ranker.pt").string();
}

}  // namespace feedrank::bench
