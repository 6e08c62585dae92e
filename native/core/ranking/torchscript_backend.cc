#include <ATen/Parallel.h>
#include <caffe2/serialize/in_memory_adapter.h>
#include <torch/csrc/jit/frontend/builtin_functions.h>
#include <torch/script.h>
#include <torch/version.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <sstream>

#include "error.h"
#include "ranking/frozen_module.h"
#include "ranking/model_backend.h"
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
    const at::Tensor& tensor = answer.toTensor();
    const int64_t count = tensor.dim() == 1 ? 1 : tensor.dim() == 2 ? tensor.size(1) : -1;
    if (count < 1 || tensor.size(0) != 1) {
      std::ostringstream shape;
      shape << "shape " << tensor.sizes() << " for one row";
      refuse_output(shape.str());
    }
    if (heads_.empty()) {
      if (count == 1) heads_ = {"score"};
      for (int64_t h = 0; count > 1 && h < count; ++h) {
        heads_.push_back("head" + std::to_string(h));
      }
    }
    if (heads_.size() != static_cast<size_t>(count)) {
      refuse_output(std::to_string(count) + " heads where its description names " +
                    std::to_string(heads_.size()));
    }
  }

 private:
  [[noreturn]] static void refuse_output(const std::string& got) {
    throw Error("MODEL_SHAPE", "model",
                "model: expected forward to return a tensor [n], [n, heads] or a dictionary of "
                "tensors [n], got " +
                    got);
  }

  at::Tensor run(const float* features, size_t rows) {
    const auto count = static_cast<int64_t>(rows);
    at::Tensor input = at::from_blob(const_cast<float*>(features),
                                     {count, static_cast<int64_t>(features_)}, at::kFloat);
    const c10::IValue answer = module_.forward({input});
    at::Tensor output;
    if (answer.isGenericDict()) {
      std::vector<at::Tensor> columns;
      const auto dictionary = answer.toGenericDict();
      for (const std::string& head : heads_) {
        columns.push_back(dictionary.at(head).toTensor().to(at::kFloat).reshape({-1}));
      }
      output = at::stack(columns, 1);
    } else if (answer.isTensor()) {
      output = answer.toTensor().to(at::kFloat);
      if (output.dim() == 1) output = output.unsqueeze(1);
    }
    if (!output.defined() || output.dim() != 2 || output.size(0) != count ||
        output.size(1) != static_cast<int64_t>(heads_.size())) {
      refuse_output("another shape than when it was loaded");
    }
    return output.contiguous();
  }

  torch::jit::Module module_;
  uint32_t features_;
  std::vector<std::string> heads_;
};

}  // namespace

void warm_up(ModelBackend& backend, uint32_t features) {
  constexpr size_t kRows = 64;
  std::vector<float> input(kRows * features);
  std::vector<float> scores(kRows * backend.heads().size());
  uint32_t state = 1;
  for (int round = 0; round < 3; ++round) {
    backend.forward(input.data(), kRows, scores.data());
    if (!std::all_of(scores.begin(), scores.end(), [](float s) { return std::isfinite(s); })) {
      throw Error("MODEL_OUTPUT", "model",
                  "model: expected finite scores, got NaN or infinity for " +
                      std::string(round == 0 ? "a row of zeros" : "rows of values in [-1, 1)"));
    }
    for (float& value : input) {
      state = state * 1664525U + 1013904223U;
      value = static_cast<float>(state >> 8) * 0x1p-23F - 1.0F;
    }
  }
}

std::unique_ptr<ModelBackend> load_torchscript(const ModelOptions& options) {
  std::unique_ptr<TorchScriptBackend> backend;
  try {
    const auto reader = std::make_shared<caffe2::serialize::MemoryReadAdapter>(
        options.bytes.data(), static_cast<off_t>(options.bytes.size()));
    constexpr bool kDebugFiles = false;
    torch::jit::Module module = torch::jit::load(reader, c10::Device(c10::kCPU), kDebugFiles);
    module.eval();
    backend = std::make_unique<TorchScriptBackend>(frozen_module(module), options.features,
                                                   options.heads);
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
  warm_up(*backend, options.features);
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
