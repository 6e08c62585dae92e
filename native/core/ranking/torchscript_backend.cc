#include <ATen/Parallel.h>
#include <torch/csrc/jit/frontend/builtin_functions.h>
#include <torch/script.h>
#include <torch/version.h>

#include <cstring>

#include "ranking/model_backend.h"
#include "ranking/prepacked_linears.h"
#include "ranking/scripted_backend.h"

namespace feedrank {
namespace {

/// On the processor, with linear layers by oneDNN.
class TorchScriptBackend final : public ScriptedBackend {
 public:
  TorchScriptBackend(torch::jit::Module module, uint32_t features, std::vector<std::string> heads)
      : ScriptedBackend(std::move(module), features, std::move(heads)) {}

  std::unique_ptr<ModelBackend> clone() const override {
    return std::make_unique<TorchScriptBackend>(module().clone(), features(), heads());
  }

 protected:
  at::Tensor input(const float* values, int64_t rows) override {
    return at::from_blob(const_cast<float*>(values), {rows, static_cast<int64_t>(features())},
                         at::kFloat);
  }

  void output(const at::Tensor& answer, float* scores) override {
    std::memcpy(scores, answer.const_data_ptr<float>(), answer.nbytes());
  }
};

}  // namespace

std::unique_ptr<ModelBackend> load_torchscript(const ModelOptions& options) {
  check_precision(options.precision);
  torch::jit::Module frozen = load_frozen(
      options, c10::Device(c10::kCPU),
      [&options](torch::jit::Module& module) { prepack_linears(module, options.precision); });
  auto backend =
      std::make_unique<TorchScriptBackend>(std::move(frozen), options.features, options.heads);
  backend->learn_heads();
  return backend;
}

bool is_operator(const std::string& name) {
  const auto symbol = c10::Symbol::aten(name);
  return !torch::jit::getAllOperatorsFor(symbol).empty() ||
         !torch::jit::getAllBuiltinFunctionsFor(symbol).empty();
}

void prepare_torch_thread() {
  at::set_num_threads(1);
  const c10::InferenceMode inference;
  constexpr int64_t kSize = 64;
  (void)at::mm(at::ones({kSize, kSize}), at::ones({kSize, kSize}));
}

std::string libtorch_version() {
  return std::to_string(TORCH_VERSION_MAJOR) + "." + std::to_string(TORCH_VERSION_MINOR) + "." +
         std::to_string(TORCH_VERSION_PATCH);
}

}  // namespace feedrank
