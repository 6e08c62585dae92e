#include <torch/csrc/jit/ir/ir.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/script.h>

#include <cstring>

#include "error.h"
#include "ranking/linear_layers.h"
#include "ranking/model_backend.h"
#include "ranking/scripted_backend.h"
#include "ranking/torch_device.h"

namespace feedrank {
namespace {

using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;

constexpr bool kNonBlocking = true;

/// Modules run as they are written. LibTorch's own fuser would compile kernels for each number of
/// rows that it meets, which takes seconds and libraries that a service need not have.
struct AsWritten : torch::jit::GraphOptimizerEnabledGuard {
  AsWritten() : GraphOptimizerEnabledGuard(false) {}
};

class DeviceBackend final : public ScriptedBackend {
 public:
  DeviceBackend(torch::jit::Module module, uint32_t features, std::vector<std::string> heads,
                c10::Device device)
      : ScriptedBackend(std::move(module), features, std::move(heads)), device_(device) {}

  void forward(const float* values, size_t rows, float* scores) override {
    const OwnStream stream(device_);
    const AsWritten as_written;
    ScriptedBackend::forward(values, rows, scores);
  }

  void learn_heads() override {
    const OwnStream stream(device_);
    const AsWritten as_written;
    ScriptedBackend::learn_heads();
  }

  std::unique_ptr<ModelBackend> clone() const override {
    return std::make_unique<DeviceBackend>(module().clone(), features(), heads(), device_);
  }

 protected:
  at::Tensor input(const float* values, int64_t rows) override {
    const at::Tensor staged = staging(staged_features_, rows, features());
    std::memcpy(staged.data_ptr<float>(), values, staged.nbytes());
    return staged.to(device_, at::kFloat, kNonBlocking);
  }

  void output(const at::Tensor& answer, float* scores) override {
    const at::Tensor staged = staging(staged_scores_, answer.size(0), answer.size(1));
    staged.copy_(answer, kNonBlocking);
    // The same stream as forward's, which is the thread's.
    OwnStream(device_).synchronise();
    std::memcpy(scores, staged.const_data_ptr<float>(), staged.nbytes());
  }

 private:
  /// So many rows of a buffer, which is made anew where it has fewer. Each pass waits for its
  /// copies, so the next may write over it.
  at::Tensor staging(at::Tensor& buffer, int64_t rows, int64_t width) const {
    if (!buffer.defined() || buffer.size(0) < rows) {
      buffer = host_staging(device_, {rows, width}, at::kFloat);
    }
    return buffer.narrow(0, 0, rows);
  }

  c10::Device device_;
  at::Tensor staged_features_;
  at::Tensor staged_scores_;
};

/// Makes a layer multiply in bfloat16; its activation, behind it, stays float32.
void multiply_in_bfloat16(const LinearLayer& layer) {
  Graph& graph = *layer.first->owningGraph();
  const torch::jit::WithInsertPoint at_first(layer.first);
  const auto narrow = [](const at::Tensor& values) { return values.to(at::kBFloat16); };
  Value* const x = graph.insert(c10::aten::to, {layer.first->input(layer.x), at::kBFloat16});
  Value* const weight = graph.insertConstant(narrow(layer.weight).contiguous());
  Value* const product = graph.insert(c10::aten::linear, {x, weight});
  Value* sum = graph.insert(c10::aten::to, {product, at::kFloat});
  if (layer.bias.defined()) sum = graph.insert(c10::aten::add, {sum, layer.bias});
  layer.sum->output()->replaceAllUsesWith(sum);
}

}  // namespace

std::unique_ptr<ModelBackend> load_on_device(const ModelOptions& options) {
  const c10::Device device = torch_device(options.device);
  if (options.precision == Precision::kInt8) {
    throw Error("PRECISION_UNAVAILABLE", "precision",
                "precision: expected 'float32' or 'bfloat16', got 'int8', which rankers have on "
                "the cpu alone");
  }
  const OwnStream stream(device);
  torch::jit::Module frozen = load_frozen(options, device, [&options](torch::jit::Module& module) {
    if (options.precision != Precision::kBfloat16) return;
    const std::shared_ptr<Graph> graph = module.get_method("forward").graph();
    for (const LinearLayer& layer : find_linear_layers(*graph)) {
      if (is_wide(layer)) multiply_in_bfloat16(layer);
    }
    torch::jit::EliminateDeadCode(graph);
  });
  auto backend =
      std::make_unique<DeviceBackend>(std::move(frozen), options.features, options.heads, device);
  backend->learn_heads();
  // Other threads have streams of their own, which must find the weights in place.
  stream.synchronise();
  return backend;
}

}  // namespace feedrank
