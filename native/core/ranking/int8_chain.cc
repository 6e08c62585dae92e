#include "ranking/int8_chain.h"

#include <torch/csrc/jit/runtime/operator.h>
#include <torch/script.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ranking/int8_rows.h"

namespace feedrank {
namespace {

using torch::jit::Node;

/// Sums of no more bytes than this are made at once: they stay in a core's own cache until they are
/// rescaled.
constexpr int64_t kMostSumBytes = 1 << 20;
constexpr int64_t kMostRows = 2048;

at::Tensor packed(const at::Tensor& codes) {
  static const c10::OperatorHandle prepack =
      c10::Dispatcher::singleton().findSchemaOrThrow("onednn::qlinear_prepack", "");
  torch::jit::Stack stack = {codes, c10::IValue()};
  prepack.callBoxed(stack);
  return torch::jit::pop(stack).toTensor();
}

/// Σ code · weight code as float32 [rows, outputs]: with steps of 1 and zeros of 0 oneDNN's
/// quantized layer gives its sums as they are.
at::Tensor sums_of(const at::Tensor& codes, const at::Tensor& weight, int64_t outputs) {
  using Pointwise =
      at::Tensor(at::Tensor, double, int64_t, at::Tensor, at::Tensor, at::Tensor,
                 std::optional<at::Tensor>, double, int64_t, std::optional<at::ScalarType>,
                 std::string_view, c10::List<std::optional<at::Scalar>>, std::string_view);
  static const auto pointwise = c10::Dispatcher::singleton()
                                    .findSchemaOrThrow("onednn::qlinear_pointwise", "")
                                    .typed<Pointwise>();
  const c10::List<std::optional<at::Scalar>> no_arguments;
  const at::Tensor ones = at::ones({outputs});
  const at::Tensor zeros = at::zeros({outputs}, at::kInt);
  return pointwise.call(codes, 1.0, 0, weight, ones, zeros, std::nullopt, 1.0, 0, at::kFloat,
                        "none", no_arguments, "");
}

/// How many rows are computed at once: a power of two, so that few numbers of rows are met.
int64_t rows_at_once(const std::vector<Int8Layer>& layers) {
  int64_t widest = 1;
  for (const Int8Layer& layer : layers) widest = std::max(widest, layer.outputs);
  int64_t rows = kMostRows;
  while (rows > 64 && rows * widest * static_cast<int64_t>(sizeof(float)) > kMostSumBytes) {
    rows /= 2;
  }
  return rows;
}

/// Runs layers on rows of floats, [rows × inputs] to [rows × outputs].
void run_rows(const std::vector<Int8Layer>& layers, const float* x, int64_t rows, float* result) {
  const int32_t most = greatest_input_code();
  std::vector<RowScale> scales(static_cast<size_t>(rows));
  auto width = static_cast<size_t>(layers.front().inputs);
  at::Tensor codes = at::empty({rows, layers.front().inputs}, at::kByte);
  auto* code = codes.data_ptr<uint8_t>();
  for (RowScale& scale : scales) {
    scale = quantize_row(x, width, range_of(x, width), most, code);
    x += width;
    code += width;
  }
  std::vector<float> numbers;
  for (const Int8Layer& layer : layers) {
    const bool last = &layer == &layers.back();
    const at::Tensor sums = sums_of(codes, layer.weight, layer.outputs);
    const OutputScales outputs{layer.step.const_data_ptr<float>(),
                               layer.weight_sums.const_data_ptr<float>(),
                               layer.bias.const_data_ptr<float>()};
    width = static_cast<size_t>(layer.outputs);
    const auto* sum = sums.const_data_ptr<float>();
    if (!last) {
      numbers.resize(width);
      codes = at::empty({rows, layer.outputs}, at::kByte);
      code = codes.data_ptr<uint8_t>();
    }
    for (RowScale& scale : scales) {
      float* y = last ? result : numbers.data();
      const RowRange range = rescale_row(sum, width, scale, outputs, layer.relu, y);
      sum += width;
      if (last) {
        result += width;
      } else {
        scale = quantize_row(y, width, range, most, code);
        code += width;
      }
    }
  }
}

at::Tensor run(const std::vector<Int8Layer>& layers, const at::Tensor& x) {
  const int64_t inputs = layers.front().inputs;
  const int64_t outputs = layers.back().outputs;
  TORCH_CHECK(x.scalar_type() == at::kFloat && x.dim() > 0 && x.size(-1) == inputs,
              "expected float32 [..., ", inputs, "], got ", x.scalar_type(), " ", x.sizes());
  std::vector<int64_t> shape = x.sizes().vec();
  shape.back() = outputs;
  at::Tensor result = at::empty(shape, at::kFloat);
  const at::Tensor dense = x.contiguous();
  const int64_t rows = dense.numel() / inputs;
  const int64_t at_once = rows_at_once(layers);
  for (int64_t begin = 0; begin < rows; begin += at_once) {
    run_rows(layers, dense.const_data_ptr<float>() + begin * inputs,
             std::min(at_once, rows - begin), result.data_ptr<float>() + begin * outputs);
  }
  return result;
}

c10::Symbol tensors_attribute() { return c10::Symbol::attr("tensors"); }
c10::Symbol numbers_attribute() { return c10::Symbol::attr("numbers"); }

/// Reads the layers that insert_int8_chain wrote: of each four tensors and three numbers.
torch::jit::Operation operation_of(const Node* node) {
  std::vector<Int8Layer> layers;
  const std::vector<at::Tensor>& tensors = node->ts(tensors_attribute());
  const std::vector<int64_t>& numbers = node->is(numbers_attribute());
  for (size_t l = 0; l < tensors.size() / 4; ++l) {
    const at::Tensor* own = &tensors[4 * l];
    const int64_t* sizes = &numbers[3 * l];
    layers.push_back({own[0], own[1], own[2], own[3], sizes[0], sizes[1], sizes[2] != 0});
  }
  return [layers = std::move(layers)](torch::jit::Stack& stack) {
    const at::Tensor x = torch::jit::pop(stack).toTensor();
    torch::jit::push(stack, run(layers, x));
  };
}

/// The operator's name, registered once. It holds an address, so that another copy of this library
/// in the process has another.
c10::Symbol chain_operator() {
  static const c10::Symbol name = [] {
    static const char anchor = 0;
    const auto own = c10::Symbol::fromQualString(
        "feedrank_" + std::to_string(reinterpret_cast<uintptr_t>(&anchor)) + "::int8_chain");
    // Of any number of inputs: where that is fixed, the interpreter makes one operation for all
    // nodes of an operator.
    torch::jit::registerOperator(
        torch::jit::Operator(own, &operation_of, c10::AliasAnalysisKind::PURE_FUNCTION));
    return own;
  }();
  return name;
}

/// Whether products of the greatest codes are summed up exactly.
bool is_exact(int32_t code) {
  constexpr int64_t kSize = 64;
  constexpr int32_t kWeight = 127;
  const at::Tensor codes = at::full({kSize, kSize}, code, at::kByte);
  const at::Tensor weight = packed(at::full({kSize, kSize}, kWeight, at::kChar));
  const auto expected = static_cast<float>(kSize * code * kWeight);
  return sums_of(codes, weight, kSize).eq(expected).all().item<bool>();
}

}  // namespace

int32_t greatest_input_code() {
  static const int32_t greatest = [] {
    const c10::InferenceMode inference;
    try {
      for (const int32_t code : {255, 127}) {
        if (is_exact(code)) return code;
      }
    } catch (const c10::Error&) {
      // LibTorch was built without oneDNN, or oneDNN has no such product here.
    }
    return 0;
  }();
  return greatest;
}

Int8Layer quantized_layer(const at::Tensor& weight, const at::Tensor& bias, bool relu) {
  constexpr double kGreatest = 127;
  at::Tensor step = weight.abs().amax(1) / kGreatest;
  // An output without weights, or of weights that have hardly a bit.
  step = at::where(step < std::numeric_limits<float>::min(), at::ones_like(step), step);
  const at::Tensor codes =
      (weight / step.unsqueeze(1)).round().clamp(-kGreatest, kGreatest).to(at::kChar).contiguous();
  return {packed(codes),
          step.contiguous(),
          codes.sum(1, false, at::kInt).to(at::kFloat),
          bias.defined() ? bias.contiguous() : at::zeros({weight.size(0)}),
          weight.size(1),
          weight.size(0),
          relu};
}

torch::jit::Value* insert_int8_chain(torch::jit::Graph& graph, torch::jit::Value* x,
                                     const std::vector<Int8Layer>& layers) {
  std::vector<at::Tensor> tensors;
  std::vector<int64_t> numbers;
  for (const Int8Layer& layer : layers) {
    tensors.insert(tensors.end(), {layer.weight, layer.step, layer.weight_sums, layer.bias});
    numbers.insert(numbers.end(), {layer.inputs, layer.outputs, layer.relu ? 1 : 0});
  }
  Node* node = graph.create(chain_operator(), {x});
  node->ts_(tensors_attribute(), std::move(tensors));
  node->is_(numbers_attribute(), std::move(numbers));
  node->output()->setType(c10::TensorType::get());
  return graph.insertNode(node)->output();
}

}  // namespace feedrank
