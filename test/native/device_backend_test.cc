#include <torch/script.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "check.h"
#include "ranking/model.h"
#include "ranking/scripted_network.h"
#include "support.h"
#include "temporary_folder.h"

namespace {

using namespace feedrank;
using namespace feedrank::testing;

constexpr uint32_t kFeatures = 24;

std::vector<float> random_values(uint64_t seed, size_t count, double most) {
  Random random(seed);
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(random.between(-most, most));
  return values;
}

/// 24-96-48-2 with ReLU between, whose scores are of the size of 1.
void save_network(const std::string& path) {
  ScriptedNetwork network;
  network.mean = random_values(1, kFeatures, 1);
  network.scale.assign(kFeatures, 1.0F);
  const uint32_t widths[] = {kFeatures, 96, 48, 2};
  for (size_t l = 0; l + 1 < std::size(widths); ++l) {
    const uint32_t count = widths[l] * widths[l + 1];
    network.layers.push_back({widths[l], widths[l + 1],
                              random_values(2 + l, count, std::sqrt(3.0 / widths[l])),
                              random_values(9 + l, widths[l + 1], 0.5)});
  }
  save_scripted_network(network, path);
}

void save_script(const std::string& source, const std::string& path) {
  torch::jit::Module module("Scripted");
  module.register_parameter("w", at::arange(64, at::kFloat).reshape({32, 2}) / 64, false);
  module.define(source);
  module.save(path);
}

ModelOptions options_of(const std::string& path, uint32_t features, const std::string& device,
                        Precision precision = Precision::kFloat32) {
  std::ifstream file(path, std::ios::binary);
  ModelOptions options{{std::istreambuf_iterator<char>(file), {}}, path, features, {}};
  options.device = device;
  options.precision = precision;
  return options;
}

/// The model that runs by the code for devices, on the CPU too.
std::unique_ptr<Model> device_model(const ModelOptions& options) {
  return std::make_unique<Model>(options, load_on_device(options));
}

std::string load_code(const ModelOptions& options) {
  return error_code([&options] { (void)load_on_device(options); });
}

std::vector<float> scores_of(Model& model, const std::vector<float>& rows) {
  const size_t count = rows.size() / model.features();
  std::vector<float> scores(count * model.heads().size());
  model.forward(rows.data(), count, scores.data());
  return scores;
}

double greatest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  REQUIRE(a.size() == b.size());
  double greatest = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    // Written so that NaN counts.
    const double difference = std::abs(double{a[i]} - double{b[i]});
    if (!(difference <= greatest)) greatest = difference;
  }
  return greatest;
}

void expect_scores_of_the_processor(const std::string& device) {
  const TemporaryFolder folder;
  save_network(folder.path("network.pt"));
  Model expected(options_of(folder.path("network.pt"), kFeatures, "cpu"));
  const auto model = device_model(options_of(folder.path("network.pt"), kFeatures, device));
  EXPECT(model->heads() == expected.heads());
  // Numbers of rows that are padded, that are not, and that take several passes.
  for (const size_t rows : {1U, 63U, 64U, 300U, 2048U, 2049U, 5000U}) {
    const auto values = random_values(rows, rows * kFeatures, 3);
    EXPECT_NEAR(greatest_difference(scores_of(*model, values), scores_of(expected, values)), 0,
                1e-5);
  }
}

void expect_dictionaries(const std::string& device) {
  const TemporaryFolder folder;
  save_script(
      "def forward(self, x: Tensor) -> Dict[str, Tensor]:\n"
      "    y = torch.linear(x, self.w)\n"
      "    return {\"dwell\": y[:, 1], \"click\": y[:, 0]}\n",
      folder.path("model.pt"));
  Model expected(options_of(folder.path("model.pt"), 2, "cpu"));
  const auto model = device_model(options_of(folder.path("model.pt"), 2, device));
  EXPECT(model->heads() == std::vector<std::string>({"click", "dwell"}));
  const auto values = random_values(3, 200, 3);
  EXPECT_NEAR(greatest_difference(scores_of(*model, values), scores_of(expected, values)), 0, 1e-5);
}

void expect_threads_that_agree(const std::string& device) {
  const TemporaryFolder folder;
  save_network(folder.path("network.pt"));
  const auto model = device_model(options_of(folder.path("network.pt"), kFeatures, device));
  std::atomic<int> different{0};
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < 4; ++t) {
    const auto values = random_values(t, (50 + 200 * t) * kFeatures, 3);
    threads.emplace_back([&model, &different, values, expected = scores_of(*model, values)] {
      prepare_torch_thread();
      for (int i = 0; i < 50; ++i) {
        if (scores_of(*model, values) != expected) ++different;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(different.load(), 0);
}

void expect_rounded_products(const std::string& device) {
  const TemporaryFolder folder;
  save_network(folder.path("network.pt"));
  const auto options =
      options_of(folder.path("network.pt"), kFeatures, device, Precision::kBfloat16);
  const auto model = device_model(options);
  Model expected(options_of(folder.path("network.pt"), kFeatures, "cpu"));
  const auto values = random_values(5, 400 * kFeatures, 3);
  const double difference =
      greatest_difference(scores_of(*model, values), scores_of(expected, values));
  EXPECT(difference > 1e-5);
  EXPECT_NEAR(difference, 0, 0.1);
  // A layer of two outputs multiplies in float32, although others do not.
  save_script(
      "def forward(self, x: Tensor) -> Tensor:\n"
      "    return torch.linear(x, self.w.t())\n",
      folder.path("narrow.pt"));
  Model exact(options_of(folder.path("narrow.pt"), 32, "cpu"));
  const auto narrow =
      device_model(options_of(folder.path("narrow.pt"), 32, device, Precision::kBfloat16));
  const auto rows = random_values(6, 100 * 32, 3);
  EXPECT_NEAR(greatest_difference(scores_of(*narrow, rows), scores_of(exact, rows)), 0, 1e-5);
}

void expect_refusals(const std::string& device) {
  const TemporaryFolder folder;
  const std::string path = folder.path("network.pt");
  save_network(path);
  EXPECT_EQ(load_code(options_of(path, kFeatures, device)), "none");
  EXPECT_EQ(load_code(options_of(path, kFeatures + 1, device)), "MODEL_SHAPE");
  EXPECT_EQ(load_code(options_of(path, kFeatures, device, Precision::kInt8)),
            "PRECISION_UNAVAILABLE");
  std::ofstream(folder.path("garbage"), std::ios::binary) << std::string(5000, '\x7f');
  EXPECT_EQ(load_code(options_of(folder.path("garbage"), 4, device)), "MODEL_CORRUPT");
  save_script(
      "def forward(self, x: Tensor) -> Tensor:\n"
      "    return x.sum()\n",
      folder.path("sum.pt"));
  EXPECT_EQ(load_code(options_of(folder.path("sum.pt"), 2, device)), "MODEL_SHAPE");
  save_script(
      "def forward(self, x: Tensor) -> Tensor:\n"
      "    return x[:, 0] - x[:, 0].mean()\n",
      folder.path("mean.pt"));
  const ModelOptions mean = options_of(folder.path("mean.pt"), 2, device);
  EXPECT_EQ(error_code([&mean] { (void)device_model(mean); }), "MODEL_OUTPUT");
}

void expect_passes_after_a_failure(const std::string& device) {
  const TemporaryFolder folder;
  save_script(
      "def forward(self, x: Tensor) -> Tensor:\n"
      "    if bool(x[0, 0] > 5.0):\n"
      "        return x[:1, 0]\n"
      "    return x[:, 0]\n",
      folder.path("model.pt"));
  const auto model = device_model(options_of(folder.path("model.pt"), 1, device));
  const std::vector<float> good = {1, 9, 2};
  EXPECT_EQ(error_code([&model] { (void)scores_of(*model, {9, 1, 1}); }), "MODEL_SHAPE");
  EXPECT(scores_of(*model, good) == good);
}

void expect_all(const std::string& device) {
  expect_scores_of_the_processor(device);
  expect_dictionaries(device);
  expect_threads_that_agree(device);
  expect_rounded_products(device);
  expect_refusals(device);
  expect_passes_after_a_failure(device);
}

}  // namespace

TEST_CASE("a ranker run by the code for devices, on the CPU, scores as it does by oneDNN") {
  expect_scores_of_the_processor("cpu");
  expect_dictionaries("cpu");
}

TEST_CASE("threads that share a ranker of a device, on the CPU, get the answers of one thread") {
  expect_threads_that_agree("cpu");
}

TEST_CASE("wide layers of a ranker of a device, on the CPU, multiply in bfloat16 where asked") {
  expect_rounded_products("cpu");
}

TEST_CASE("a ranker that no device can run is refused, and a pass that fails spoils no other") {
  expect_refusals("cpu");
  expect_passes_after_a_failure("cpu");
}

TEST_CASE("rankers on CUDA score as those on the CPU") {
  if (!at::globalContext().hasCUDA()) SKIP("this LibTorch finds no CUDA device");
  expect_all("cuda");
}

TEST_CASE("a ranker for a device that is not there is refused by name") {
  const TemporaryFolder folder;
  save_network(folder.path("network.pt"));
  const auto load = [&folder](const char* device) {
    return error_code([options = options_of(folder.path("network.pt"), kFeatures, device)] {
      Model model(options);
    });
  };
  EXPECT_EQ(load("tpu"), "INVALID_ARGUMENT");
  if (at::globalContext().hasCUDA()) SKIP("there is a CUDA device");
  EXPECT_EQ(load("cuda"), "DEVICE_UNAVAILABLE");
}
