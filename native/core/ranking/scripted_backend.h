#pragma once

#include <torch/script.h>

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "ranking/model_backend.h"

namespace feedrank {

/// A frozen TorchScript module that ranks: what the backends that run one share. Where it runs, and
/// how numbers get there and back, is theirs.
class ScriptedBackend : public ModelBackend {
 public:
  const std::vector<std::string>& heads() const override { return heads_; }

  void forward(const float* features, size_t rows, float* scores) override;

  /// Runs the module once to learn how it answers, and names the heads where nobody has. Throws
  /// MODEL_SHAPE.
  virtual void learn_heads();

 protected:
  ScriptedBackend(torch::jit::Module module, uint32_t features, std::vector<std::string> heads)
      : module_(std::move(module)), features_(features), heads_(std::move(heads)) {}

  const torch::jit::Module& module() const { return module_; }
  uint32_t features() const { return features_; }

  /// The features, float32 [rows, features], where the module reads them.
  virtual at::Tensor input(const float* features, int64_t rows) = 0;
  /// Copies contiguous float32 [rows, heads] from where the module runs.
  virtual void output(const at::Tensor& answer, float* scores) = 0;

 private:
  at::Tensor run(const float* features, int64_t rows);

  torch::jit::Module module_;
  uint32_t features_;
  std::vector<std::string> heads_;
};

/// Reads options.bytes as a TorchScript module of the device, freezes it and hands it to `prepare`.
/// Throws MODEL_CORRUPT where one of these fails.
torch::jit::Module load_frozen(const ModelOptions& options, c10::Device device,
                               const std::function<void(torch::jit::Module&)>& prepare);

}  // namespace feedrank
