#include <ATen/Parallel.h>
#include <caffe2/serialize/in_memory_adapter.h>
#include <torch/csrc/jit/frontend/builtin_functions.h>
#include <torch/script.h>
#include <torch/version.h>

#include <algorithm>
#include <cstring>

#include "error.h"
#include "ranking/frozen_module.h"
#include "ranking/model_backend.h"
#include "ranking/model_output.h"
#include "ranking/prepacked_linears.h"
#include "ranking/torch_error.h"

namespace feedrank {
namespace {

class TorchScriptBackend final : public ModelBackend {
 public:
  TorchScriptBackend(torch::jit::Module module, uint32_t features, std::vector<std::string> heads)
      : module_(std::move(module)), features_(features), heads_(std::move(heads)) {}

  const std::vector<std::string>& heads() const override { return heads_; }

  void forward(const float* features, size_t rows, float* scores) override {
    const c10::InferenceMode inference;
    at::Tensor output;
    try {
      output = run(features, rows);
    } catch (const Error&) {
      throw;
    } catch (const std::exception& error) {
      throw Error("MODEL_SHAPE", "model",
                  "model: forward failed on float32 [" + std::to_string(rows) + ", " +
                      std::to_string(features_) + "]: " + first_line(error));
    }
    std::memcpy(scores, output.data_ptr<float>(), rows * heads_.size() * sizeof(float));
  }

  std::unique_ptr<ModelBackend> clone() const override {
    return std::make_unique<TorchScriptBackend>(module_.clone(), features_, heads_);
  }

  /// Runs the module once to learn how it answers, and names the heads where nobody has.
  void learn_heads() {
    const std::vector<float> zeros(features_, 0.0F);
    at::Tensor input = at::from_blob(const_cast<float*>(zeros.data()),
                                     {1, static_cast<int64_t>(features_)}, at::kFloat);
    const c10::IValue answer = module_.forward({input});
    std::vector<std::string> found;
    if (answer.isGenericDict()) {
      for (const auto& entry : answer.toGenericDict()) {
        if (!entry.key().isString() || !entry.value().isTensor()) refuse_output("another type");
        found.push_back(entry.key().toStringRef());
      }
      std::sort(found.begin(), found.end());
      if (heads_.empty()) heads_ = found;
      std::vector<std::string> named = heads_;
      std::sort(named.begin(), named.end());
      if (named != found) {
        refuse_output("a dictionary whose keys differ from the heads of its description");
      }
      return;
    }
    if (!answer.isTensor()) refuse_output("another type");
    name_heads(answer.toTensor(), 1, heads_);
  }

 private:
  at::Tensor run(const float* features, size_t rows) {
    const auto count = static_cast<int64_t>(rows);
    at::Tensor input = at::from_blob(const_cast<float*>(features),
                                     {count, static_cast<int64_t>(features_)}, at::kFloat);
    const c10::IValue answer = module_.forward({input});
    if (answer.isTensor()) return to_scores(answer.toTensor(), count, heads_.size());
    if (!answer.isGenericDict()) refuse_output("another type than when it was loaded");
    std::vector<at::Tensor> columns;
    const auto dictionary = answer.toGenericDict();
    for (const std::string& head : heads_) {
      columns.push_back(dictionary.at(head).toTensor().to(at::kFloat).reshape({-1}));
    }
    return to_scores(at::stack(columns, 1), count, heads_.size());
  }

  torch::jit::Module module_;
  uint32_t features_;
  std::vector<std::string> heads_;
};

}  // namespace

std::unique_ptr<ModelBackend> load_torchscript(const ModelOptions& options) {
  check_precision(options.precision);
  std::unique_ptr<TorchScriptBackend> backend;
  try {
    const auto reader = std::make_shared<caffe2::serialize::MemoryReadAdapter>(
        options.bytes.data(), static_cast<off_t>(options.bytes.size()));
    constexpr bool kDebugFiles = false;
    torch::jit::Module module = torch::jit::load(reader, c10::Device(c10::kCPU), kDebugFiles);
    module.eval();
    torch::jit::Module frozen = frozen_module(module);
    prepack_linears(frozen, options.precision);
    backend =
        std::make_unique<TorchScriptBackend>(std::move(frozen), options.features, options.heads);
  } catch (const std::exception& error) {
    throw Error("MODEL_CORRUPT", "path",
                "path: '" + options.name + "' is not a TorchScript file that LibTorch " +
                    libtorch_version() + " can load: " + first_line(error));
  }
  try {
    const c10::InferenceMode inference;
    backend->learn_heads();
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    throw Error("MODEL_SHAPE", "features",
                "features: the model does not take rows of " + std::to_string(options.features) +
                    " features: " + first_line(error));
  }
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
