#include <torch/script.h>

#include <sstream>
#include <string>

#include "check.h"
#include "ranking/model_backend.h"
#include "ranking/user_tower.h"
#include "support.h"

namespace {

using namespace feedrank;
using namespace feedrank::testing;

/// A tower whose forward fails in a method that freezing inlines, for readers with more than three
/// values of context.
std::string failing_tower() {
  torch::jit::Module module("Failing");
  module.register_buffer("mean", at::zeros({3}));
  module.define(
      "def scaled(self, x: Tensor) -> Tensor:\n"
      "    return x - self.mean\n");
  module.define(
      "def forward(self, reads: Tensor, hours: Tensor, present: Tensor, context: Tensor) -> "
      "Tensor:\n"
      "    return torch.nan_to_num(self.scaled(context))\n");
  std::ostringstream stream(std::ios::binary);
  module.save(stream);
  return stream.str();
}

TEST_CASE("a pass that fails within a method is an error, whenever it comes") {
  prepare_torch_thread();
  const std::string bytes = failing_tower();
  for (int round = 0; round < 30; ++round) {
    UserTower fits(bytes, {3, 2, 3}, 1);
    EXPECT_EQ(fits.forward(fits.empty_input()).size(), 3U);
    EXPECT_EQ(error_code([&] { UserTower tower(bytes, {3, 2, 4}, 1); }), "MODEL_SHAPE");
  }
}

TEST_CASE("a ranking model whose pass fails within a method is refused") {
  prepare_torch_thread();
  torch::jit::Module module("Failing");
  module.register_buffer("mean", at::zeros({3}));
  module.define(
      "def scaled(self, x: Tensor) -> Tensor:\n"
      "    return x - self.mean\n");
  module.define(
      "def forward(self, x: Tensor) -> Tensor:\n"
      "    return self.scaled(x).sum(1)\n");
  std::ostringstream stream(std::ios::binary);
  module.save(stream);
  for (int round = 0; round < 30; ++round) {
    ModelOptions options;
    options.bytes = stream.str();
    options.features = 4;
    EXPECT_EQ(error_code([&] { load_torchscript(options); }), "MODEL_SHAPE");
  }
}

TEST_CASE("what is no TorchScript file is refused") {
  EXPECT_EQ(error_code([] { UserTower tower("no archive", {3, 2, 3}, 1); }), "MODEL_CORRUPT");
  EXPECT_EQ(error_code([] { UserTower tower(failing_tower(), {2, 2, 3}, 1); }), "MODEL_SHAPE");
}

}  // namespace
