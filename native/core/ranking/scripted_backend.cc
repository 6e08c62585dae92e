#include "ranking/scripted_backend.h"

#include <caffe2/serialize/in_memory_adapter.h>

#include <algorithm>
#include <memory>

#include "error.h"
#include "ranking/frozen_module.h"
#include "ranking/model_output.h"
#include "ranking/torch_error.h"

namespace feedrank {

void ScriptedBackend::forward(const float* features, size_t rows, float* scores) {
  const c10::InferenceMode inference;
  try {
    output(run(features, static_cast<int64_t>(rows)), scores);
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    throw Error("MODEL_SHAPE", "model",
                "model: forward failed on float32 [" + std::to_string(rows) + ", " +
                    std::to_string(features_) + "]: " + first_line(error));
  }
}

void ScriptedBackend::learn_heads() {
  const c10::InferenceMode inference;
  const std::vector<float> zeros(features_, 0.0F);
  c10::IValue answer;
  try {
    answer = module_.forward({input(zeros.data(), 1)});
  } catch (const std::exception& error) {
    throw Error("MODEL_SHAPE", "features",
                "features: the model does not take rows of " + std::to_string(features_) +
                    " features: " + first_line(error));
  }
  if (answer.isGenericDict()) {
    std::vector<std::string> found;
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

at::Tensor ScriptedBackend::run(const float* features, int64_t rows) {
  const c10::IValue answer = module_.forward({input(features, rows)});
  if (answer.isTensor()) return to_scores(answer.toTensor(), rows, heads_.size());
  if (!answer.isGenericDict()) refuse_output("another type than when it was loaded");
  std::vector<at::Tensor> columns;
  const auto dictionary = answer.toGenericDict();
  for (const std::string& head : heads_) {
    columns.push_back(dictionary.at(head).toTensor().to(at::kFloat).reshape({-1}));
  }
  return to_scores(at::stack(columns, 1), rows, heads_.size());
}

torch::jit::Module load_frozen(const ModelOptions& options, c10::Device device,
                               const std::function<void(torch::jit::Module&)>& prepare) {
  try {
    const auto reader = std::make_shared<caffe2::serialize::MemoryReadAdapter>(
        options.bytes.data(), static_cast<off_t>(options.bytes.size()));
    constexpr bool kDebugFiles = false;
    torch::jit::Module module = torch::jit::load(reader, device, kDebugFiles);
    module.eval();
    torch::jit::Module frozen = frozen_module(module);
    prepare(frozen);
    return frozen;
  } catch (const std::exception& error) {
    throw Error("MODEL_CORRUPT", "path",
                "path: '" + options.name + "' is not a TorchScript file that LibTorch " +
                    libtorch_version() + " can load: " + first_line(error));
  }
}

}  // namespace feedrank
