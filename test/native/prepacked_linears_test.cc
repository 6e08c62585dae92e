#include "ranking/prepacked_linears.h"

#include <torch/script.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <string>
#include <vector>

#include "check.h"
#include "error.h"
#include "ranking/frozen_module.h"
#include "support.h"

namespace {

using namespace feedrank;

constexpr int64_t kInputs = 24;
constexpr int64_t kHidden = 40;

/// A module with two constant weights, in both orders of their dimensions, and biases.
torch::jit::Module module_of(const std::string& body) {
  torch::manual_seed(1);
  torch::jit::Module module("Network");
  const auto add = [&](const char* name, at::IntArrayRef shape) {
    module.register_parameter(name, at::randn(shape) / std::sqrt(static_cast<double>(kInputs)),
                              false);
  };
  add("w", {kHidden, kInputs});
  add("v", {kInputs, kHidden});
  add("b", {kHidden});
  add("out", {3, kHidden});
  add("last", {3});
  module.define("def forward(self, x: Tensor) -> Tensor:\n" + body);
  module.eval();
  return module;
}

struct Outcome {
  size_t layers;
  /// The largest, relative to the largest answer where that is over 1.
  double difference;
};

/// Rewrites a module and compares its answers, passes enough for every optimization, with those of
/// the module as it was.
Outcome rewritten(const std::string& body, Precision precision = Precision::kFloat32,
                  at::IntArrayRef shape = {50, kInputs}) {
  const c10::InferenceMode inference;
  torch::jit::Module module = module_of(body);
  torch::jit::Module frozen = frozen_module(module);
  const size_t layers = prepack_linears(frozen, precision);
  torch::jit::Module clone = frozen.clone();
  double difference = 0;
  for (int pass = 0; pass < 4; ++pass) {
    const at::Tensor x = at::randn(shape);
    const at::Tensor expected = module.forward({x}).toTensor();
    for (torch::jit::Module* each : {&frozen, &clone}) {
      const at::Tensor answer = each->forward({x}).toTensor();
      REQUIRE(answer.sizes() == expected.sizes());
      REQUIRE(answer.scalar_type() == at::kFloat);
      const double size = std::max(1.0, expected.abs().max().item<double>());
      const double found = (answer - expected).abs().max().item<double>() / size;
      difference = std::max(difference, found);
    }
  }
  return {layers, difference};
}

}  // namespace

TEST_CASE("linear layers in every form answer as before when they are rewritten") {
  const struct {
    const char* body;
    size_t layers;
  } cases[] = {
      {"    return torch.linear(x, self.w, self.b)\n", 1},
      {"    return torch.linear(x, self.w)\n", 1},
      {"    return torch.addmm(self.b, x, self.v)\n", 1},
      {"    return torch.mm(x, self.v)\n", 1},
      {"    return torch.matmul(x, self.v) + self.b\n", 1},
      {"    return self.b + torch.matmul(x, self.w.t())\n", 1},
      {"    h = torch.relu(torch.linear(x, self.w, self.b))\n"
       "    return torch.sigmoid(torch.linear(h, self.out, self.last))\n",
       2},
      {"    return torch.tanh(torch.linear(x, self.w, self.b))\n", 1},
      {"    return torch.silu(torch.matmul(x, self.v) + self.b)\n", 1},
      {"    return torch.gelu(torch.linear(x, self.w, self.b))\n", 1},
      {"    return torch.gelu(torch.linear(x, self.w, self.b), approximate=\"tanh\")\n", 1},
      {"    return torch.relu_(torch.linear(x, self.w, self.b))\n", 1},
      // What is read twice keeps both readers right.
      {"    h = torch.linear(x, self.w, self.b)\n    return torch.relu(h) + h\n", 1},
      {"    h = torch.linear(x, self.w, self.b)\n    y = h * 2\n    h.add_(1)\n"
       "    return torch.linear(torch.relu(h), self.out) + torch.linear(y, self.out)\n",
       3},
      // Branches, loops.
      {"    if bool(x.sum() > 0):\n        h = torch.relu(torch.linear(x, self.w, self.b))\n"
       "    else:\n        h = torch.linear(x, self.w)\n    return torch.linear(h, self.out)\n",
       3},
      {"    h = x\n    for i in range(int(x.shape[0]) // 16):\n        h = "
       "torch.tanh(torch.matmul(h, self.v))\n"
       "        h = torch.matmul(h, self.v.t())\n    return h\n",
       2},
      // Weights that are no constants, or other operations of the same names.
      {"    return torch.linear(x, self.w * x.sum(), self.b)\n", 0},
      {"    return torch.addmm(self.b, x, self.v, beta=0.5, alpha=2)\n", 0},
      {"    return torch.matmul(self.w, x.t()).t()\n", 0},
      {"    return torch.add(torch.mm(x, self.v), self.b, alpha=3)\n", 1},
      {"    return torch.mm(x, self.v) + x[:, :1]\n", 1},
  };
  for (const auto& [body, layers] : cases) {
    const Outcome outcome = rewritten(body);
    if (outcome.layers != layers || !(outcome.difference <= 2e-6)) std::cerr << body;
    EXPECT_EQ(outcome.layers, layers);
    EXPECT_NEAR(outcome.difference, 0, 2e-6);
  }
}

TEST_CASE("a rewritten layer takes rows of any rank, and none") {
  const std::string body = "    return torch.relu(torch.linear(x, self.w, self.b)) * 1\n";
  for (const std::vector<int64_t>& shape :
       {std::vector<int64_t>{kInputs}, {1, kInputs}, {5, 7, kInputs}, {2, 3, 4, kInputs}}) {
    const Outcome outcome = rewritten(body, Precision::kFloat32, shape);
    EXPECT_EQ(outcome.layers, 1U);
    EXPECT_NEAR(outcome.difference, 0, 2e-6);
  }
  const c10::InferenceMode inference;
  torch::jit::Module frozen = frozen_module(module_of(body));
  REQUIRE(prepack_linears(frozen, Precision::kFloat32) == 1);
  EXPECT(frozen.forward({at::empty({0, kInputs})}).toTensor().sizes() ==
         at::IntArrayRef({0, kHidden}));
}

TEST_CASE("NaN goes through rewritten layers as it did before, and so do weights that hold it") {
  const c10::InferenceMode inference;
  const char* activations[] = {"relu", "tanh", "sigmoid", "silu", "gelu"};
  for (const std::string activation : activations) {
    const torch::jit::Module module =
        module_of("    h = torch." + activation + "(torch.linear(x, self.w, self.b))\n" +
                  "    return torch.linear(h, self.out, self.last)\n");
    torch::jit::Module frozen = frozen_module(module);
    REQUIRE(prepack_linears(frozen, Precision::kFloat32) == 2);
    at::Tensor x = at::randn({8, kInputs});
    x[3][1] = std::nanf("");
    const at::Tensor answer = frozen.forward({x}).toTensor();
    EXPECT(answer[3].isnan().all().item<bool>());
    EXPECT_EQ(answer.isnan().sum().item<int64_t>(), 3);
  }
  torch::jit::Module spoilt = module_of("    return torch.relu(torch.linear(x, self.w, self.b))\n");
  spoilt.attr("b").toTensor()[2] = std::nanf("");
  torch::jit::Module frozen = frozen_module(spoilt);
  EXPECT_EQ(prepack_linears(frozen, Precision::kFloat32), 0U);
}

TEST_CASE("a rewritten ReLU gives no number below 0 to what is no layer") {
  const c10::InferenceMode inference;
  torch::jit::Module frozen =
      frozen_module(module_of("    h = torch.relu(torch.linear(x, self.w, self.b))\n"
                              "    return torch.linear(h, self.out) + torch.sqrt(h)[:, :3]\n"));
  REQUIRE(prepack_linears(frozen, Precision::kFloat32) == 2);
  EXPECT(frozen.forward({at::randn({50, kInputs})}).toTensor().isfinite().all().item<bool>());
}

TEST_CASE("layers in bfloat16 differ from float32 by no more than rounding does") {
  if (testing::error_code([] { check_precision(Precision::kBfloat16); }) != "none") {
    SKIP("this processor has no avx512_bf16");
  }
  const char* bodies[] = {
      "    h = torch.relu(torch.linear(x, self.w, self.b))\n"
      "    return torch.linear(h, self.out, self.last)\n",
      "    h = torch.relu(torch.linear(x, self.w, self.b))\n    h = torch.matmul(h, self.v.t())\n"
      "    h = torch.gelu(torch.linear(h, self.w)) + 1\n    return torch.linear(h, self.out)\n",
      "    h = torch.linear(x, self.w)\n    h.mul_(2)\n"
      "    return torch.linear(torch.linear(h, self.v), self.w).relu()\n",
  };
  for (const char* body : bodies) {
    const Outcome outcome = rewritten(body, Precision::kBfloat16);
    EXPECT(outcome.layers >= 2);
    // Operands have 8 bits: each is off by up to 1/512 of itself.
    EXPECT(outcome.difference > 0);
    EXPECT_NEAR(outcome.difference, 0, 0.05);
  }
  // A layer of few outputs stays as it is.
  const Outcome narrow = rewritten("    return torch.linear(x[:, :1].expand(-1, 40), self.out)\n",
                                   Precision::kBfloat16);
  EXPECT_EQ(narrow.layers, 1U);
  EXPECT_NEAR(narrow.difference, 0, 2e-6);
}
