#include "ranking/int8_chain.h"

#include <torch/script.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <limits>
#include <string>
#include <vector>

#include "check.h"
#include "ranking/frozen_module.h"
#include "ranking/int8_rows.h"
#include "ranking/prepacked_linears.h"
#include "support.h"

namespace {

using namespace feedrank;

constexpr int64_t kInputs = 24;
constexpr int64_t kHidden = 40;
constexpr float kNotFinite[] = {std::numeric_limits<float>::quiet_NaN(),
                                std::numeric_limits<float>::infinity(),
                                -std::numeric_limits<float>::infinity()};

/// A module with constant weights and biases; `faint` has an output of no weights, and one of
/// weights of hardly a bit.
torch::jit::Module module_of(const std::string& body) {
  torch::manual_seed(3);
  torch::jit::Module module("Network");
  const auto add = [&](const char* name, at::IntArrayRef shape) {
    const at::Tensor values = at::randn(shape) / std::sqrt(static_cast<double>(kInputs));
    module.register_parameter(name, values, false);
  };
  add("w", {kHidden, kInputs});
  add("v", {kInputs, kHidden});
  add("u", {kInputs, kHidden});
  add("b", {kHidden});
  add("out", {3, kHidden});
  add("last", {3});
  at::Tensor faint = at::randn({kHidden, kInputs});
  faint[1].zero_();
  faint[2].fill_(1e-42F);
  module.register_parameter("faint", faint, false);
  module.define("def forward(self, x: Tensor) -> Tensor:\n" + body);
  module.eval();
  return module;
}

torch::jit::Module int8_module(const torch::jit::Module& module) {
  torch::jit::Module frozen = frozen_module(module);
  prepack_linears(frozen, Precision::kInt8);
  return frozen;
}

/// How many int8 chains a module's graph holds.
size_t chains_of(const torch::jit::Module& module) {
  const std::string text = module.get_method("forward").graph()->toString(false);
  size_t count = 0;
  for (size_t at = text.find("::int8_chain"); at != std::string::npos;
       at = text.find("::int8_chain", at + 1)) {
    ++count;
  }
  return count;
}

at::Tensor answer(torch::jit::Module& module, const at::Tensor& x) {
  return module.forward({x}).toTensor();
}

std::vector<float> numbers(uint64_t seed, size_t count, double low, double high) {
  testing::Random random(seed);
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(random.between(low, high));
  return values;
}

const char* const kNetwork =
    "    h = torch.relu(torch.linear(x, self.w, self.b))\n"
    "    h = torch.relu(torch.matmul(h, self.v.t()))\n"
    "    h = torch.relu(torch.linear(h, self.w, self.b))\n"
    "    return torch.linear(h, self.out, self.last)\n";

}  // namespace

TEST_CASE("a row's codes are off by no more than half a step, over as far as its numbers reach") {
  const struct {
    double low;
    double high;
  } ranges[] = {{-5, 5}, {0, 1}, {3, 4}, {-4, -3}, {-1e-30, 2e-30}, {-3e38, 3e38}, {-1e-3, 70}};
  for (const auto& [low, high] : ranges) {
    for (const size_t width : {1U, 7U, 64U, 121U}) {
      for (const int32_t most : {255, 127}) {
        const std::vector<float> x = numbers(width, width, low, high);
        std::vector<uint8_t> codes(width);
        const RowRange range = range_of(x.data(), width);
        const RowScale scale = quantize_row(x.data(), width, range, most, codes.data());
        const double reach = std::max(0.0, double{*std::max_element(x.begin(), x.end())}) -
                             std::min(0.0, double{*std::min_element(x.begin(), x.end())});
        EXPECT_NEAR(scale.step * double{1} * most / reach, 1, 1e-5);
        for (size_t i = 0; i < width; ++i) {
          EXPECT(codes[i] <= most);
          // The zero is rounded to a code as well.
          EXPECT_NEAR(double{scale.step} * (codes[i] - scale.zero), x[i], 1.001 * scale.step);
        }
      }
    }
  }
}

TEST_CASE("a row without numbers has codes of nothing, and one that holds NaN a step of NaN") {
  std::vector<uint8_t> codes(9, 7);
  for (const float nothing : {0.0F, -0.0F, 1e-42F, -1e-42F}) {
    const std::vector<float> x(9, nothing);
    const RowScale scale = quantize_row(x.data(), 9, range_of(x.data(), 9), 255, codes.data());
    EXPECT_EQ(scale.step, 1.0F);
    EXPECT(std::all_of(codes.begin(), codes.end(), [](uint8_t code) { return code == 0; }));
  }
  for (const float bad : kNotFinite) {
    std::vector<float> x(9, 1.0F);
    x[4] = bad;
    EXPECT(std::isnan(quantize_row(x.data(), 9, range_of(x.data(), 9), 255, codes.data()).step));
  }
}

TEST_CASE("layers in int8 differ from float32 by no more than their steps do") {
  if (greatest_input_code() == 0) SKIP("LibTorch has no product of int8 on this processor");
  const struct {
    const char* body;
    size_t chains;
  } cases[] = {
      {kNetwork, 1},
      {"    return torch.linear(x, self.w, self.b)\n", 1},
      {"    return torch.relu(torch.linear(x, self.w)) * 1\n", 1},
      {"    return torch.linear(torch.linear(torch.addmm(self.b, x, self.v), self.v), self.w)\n",
       1},
      {"    return torch.linear(x, self.faint, self.b)\n", 1},
      // An activation that the chain does not compute stays.
      {"    return torch.linear(torch.gelu(torch.linear(x, self.w, self.b)), self.v)\n", 2},
      {"    return torch.tanh(torch.mm(x, self.v) + self.b)\n", 1},
      // What several read, layers of the same input, the same layer twice.
      {"    h = torch.relu(torch.linear(x, self.w, self.b))\n"
       "    return torch.linear(h, self.v) + torch.linear(h, self.u)\n",
       3},
      {"    h = torch.linear(x, self.w, self.b)\n    return torch.relu(h) + h\n", 1},
      {"    h = torch.linear(x, self.w, self.b)\n    y = torch.linear(x, self.w, self.b)\n"
       "    h.add_(1)\n    return h + y\n",
       2},
      {"    h = x\n    for i in range(int(x.shape[0]) // 16):\n"
       "        h = torch.relu(torch.matmul(h, self.v))\n"
       "        h = torch.matmul(h, self.v.t())\n    return h\n",
       1},
      // Few outputs stay float32.
      {"    return torch.linear(x[:, :1].expand(-1, 40), self.out)\n", 0},
  };
  const c10::InferenceMode inference;
  for (const auto& [body, chains] : cases) {
    torch::jit::Module module = module_of(body);
    torch::jit::Module quantized = int8_module(module);
    torch::jit::Module clone = quantized.clone();
    if (chains_of(quantized) != chains) std::cerr << body;
    EXPECT_EQ(chains_of(quantized), chains);
    for (int pass = 0; pass < 4; ++pass) {
      const at::Tensor x = at::randn({50, kInputs});
      const at::Tensor expected = answer(module, x);
      for (torch::jit::Module* each : {&quantized, &clone}) {
        const at::Tensor got = answer(*each, x);
        REQUIRE(got.sizes() == expected.sizes());
        REQUIRE(got.scalar_type() == at::kFloat);
        const double off = (got - expected).norm().item<double>() / expected.norm().item<double>();
        // Codes of a layer are off by some hundredth part of how much the numbers differ.
        if (!(off <= 0.02)) std::cerr << body;
        EXPECT_NEAR(off, 0, 0.02);
        EXPECT((off > 1e-5) == (chains > 0));
      }
    }
  }
}

TEST_CASE("a chain of int8 layers takes rows of any rank, and none, and refuses other widths") {
  if (greatest_input_code() == 0) SKIP("LibTorch has no product of int8 on this processor");
  const c10::InferenceMode inference;
  torch::jit::Module quantized =
      int8_module(module_of("    return torch.linear(torch.linear(x, self.w), self.v)\n"));
  const at::Tensor x = at::randn({2, 3, 4, kInputs});
  const at::Tensor flat = answer(quantized, x.reshape({24, kInputs}));
  EXPECT(answer(quantized, x).equal(flat.reshape({2, 3, 4, kInputs})));
  EXPECT(answer(quantized, x[0][0][0]).equal(flat[0]));
  // Numbers that do not lie one after another.
  const at::Tensor turned = x[0][0].t().contiguous().t();
  EXPECT(!turned.is_contiguous());
  EXPECT(answer(quantized, turned).equal(flat.slice(0, 0, 4)));
  EXPECT(answer(quantized, at::empty({0, kInputs})).sizes() == at::IntArrayRef({0, kInputs}));
  EXPECT_THROWS(answer(quantized, at::randn({3, kInputs + 1})), std::exception);
  EXPECT_THROWS(answer(quantized, at::randn({3, kInputs}).to(at::kDouble)), std::exception);
  EXPECT(answer(quantized, x[0][0]).equal(flat.slice(0, 0, 4)));
}

TEST_CASE("a row in int8 answers the same bits among any other rows") {
  if (greatest_input_code() == 0) SKIP("LibTorch has no product of int8 on this processor");
  const c10::InferenceMode inference;
  // Without the last layer, which is float32 and not this suite's.
  torch::jit::Module quantized =
      int8_module(module_of("    h = torch.relu(torch.linear(x, self.w, self.b))\n"
                            "    return torch.linear(torch.linear(h, self.v), self.w, self.b)\n"));
  constexpr int64_t kRows = 2300;
  // Rows that reach differently far.
  const at::Tensor x = at::randn({kRows, kInputs}) * at::rand({kRows, 1}).mul(8).exp();
  const at::Tensor together = answer(quantized, x);
  for (const int64_t count : {1, 2, 3, 17, 64, 65, 300, 511, 513, 2047, 2049}) {
    for (const int64_t from : {int64_t{0}, int64_t{37}, kRows - count}) {
      const at::Tensor part = answer(quantized, x.slice(0, from, from + count));
      EXPECT(part.equal(together.slice(0, from, from + count)));
    }
  }
  const at::Tensor order = at::randperm(kRows);
  EXPECT(answer(quantized, x.index_select(0, order)).equal(together.index_select(0, order)));
}

TEST_CASE("a row that holds NaN or infinity answers NaN in int8, and no other row notices") {
  if (greatest_input_code() == 0) SKIP("LibTorch has no product of int8 on this processor");
  const c10::InferenceMode inference;
  torch::jit::Module quantized = int8_module(module_of(kNetwork));
  const at::Tensor x = at::randn({8, kInputs});
  const at::Tensor expected = answer(quantized, x);
  for (const float bad : kNotFinite) {
    at::Tensor spoilt = x.clone();
    spoilt[3][1] = bad;
    const at::Tensor got = answer(quantized, spoilt);
    EXPECT(got[3].isnan().all().item<bool>());
    EXPECT(got.slice(0, 0, 3).equal(expected.slice(0, 0, 3)));
    EXPECT(got.slice(0, 4).equal(expected.slice(0, 4)));
  }
}

TEST_CASE("oneDNN's sums of the greatest codes are exact, whatever the processor adds up in") {
  if (greatest_input_code() == 0) SKIP("LibTorch has no product of int8 on this processor");
  const c10::InferenceMode inference;
  torch::jit::Module module =
      module_of("    w = torch.ones([32, 512])\n    return torch.linear(x, w)\n");
  torch::jit::Module quantized = int8_module(module);
  REQUIRE(chains_of(quantized) == 1);
  const at::Tensor x = at::ones({70, 512}) * 3;
  EXPECT_NEAR((answer(quantized, x) - 1536).abs().max().item<double>(), 0, 1e-3);
}
