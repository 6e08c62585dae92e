#include "ranking/model.h"

#include <torch/script.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "check.h"
#include "ranking/scripted_network.h"
#include "runtime/executor.h"
#include "support.h"
#include "temporary_folder.h"

namespace {

using namespace feedrank;
using namespace feedrank::testing;

ScriptedNetwork random_network(uint64_t seed, std::vector<uint32_t> widths) {
  Random random(seed);
  ScriptedNetwork network;
  for (uint32_t i = 0; i < widths.front(); ++i) {
    network.mean.push_back(static_cast<float>(random.between(-1, 1)));
    network.scale.push_back(static_cast<float>(random.between(0.5, 2)));
  }
  for (size_t l = 0; l + 1 < widths.size(); ++l) {
    ScriptedNetwork::Layer layer{widths[l], widths[l + 1], {}, {}};
    for (uint32_t i = 0; i < layer.inputs * layer.outputs; ++i) {
      layer.weights.push_back(static_cast<float>(random.between(-1, 1)));
    }
    for (uint32_t i = 0; i < layer.outputs; ++i) {
      layer.bias.push_back(static_cast<float>(random.between(-1, 1)));
    }
    network.layers.push_back(std::move(layer));
  }
  return network;
}

/// The network by hand, in double precision.
std::vector<double> by_hand(const ScriptedNetwork& network, const float* features) {
  std::vector<double> x;
  for (size_t i = 0; i < network.mean.size(); ++i) {
    x.push_back((double{features[i]} - network.mean[i]) * network.scale[i]);
  }
  for (size_t l = 0; l < network.layers.size(); ++l) {
    const auto& layer = network.layers[l];
    std::vector<double> next;
    for (uint32_t o = 0; o < layer.outputs; ++o) {
      double sum = layer.bias[o];
      for (uint32_t i = 0; i < layer.inputs; ++i) sum += layer.weights[o * layer.inputs + i] * x[i];
      next.push_back(l + 1 < network.layers.size() ? std::max(0.0, sum) : sum);
    }
    x = std::move(next);
  }
  return x;
}

std::vector<float> random_rows(uint64_t seed, size_t count) {
  Random random(seed);
  std::vector<float> values;
  for (size_t i = 0; i < count; ++i) values.push_back(static_cast<float>(random.between(-3, 3)));
  return values;
}

void save_script(const std::string& source, const std::string& path) {
  torch::jit::Module module("Scripted");
  module.define(source);
  module.save(path);
}

/// Options that load a file, read as a whole.
ModelOptions options_of(const std::string& path, uint32_t features,
                        std::vector<std::string> heads = {}) {
  std::ifstream file(path, std::ios::binary);
  return {{std::istreambuf_iterator<char>(file), {}}, path, features, std::move(heads)};
}

std::string load_code(const std::string& path, uint32_t features,
                      const std::vector<std::string>& heads = {}) {
  return error_code([&] { Model model(options_of(path, features, heads)); });
}

}  // namespace

TEST_CASE("a saved network answers as the same network computed by hand") {
  const TemporaryFolder folder;
  const ScriptedNetwork network = random_network(1, {7, 16, 5, 3});
  save_scripted_network(network, folder.path("model.pt"));
  Model model(options_of(folder.path("model.pt"), 7));
  REQUIRE(model.heads().size() == 3);
  EXPECT_EQ(model.heads()[2], "head2");
  EXPECT_EQ(model.features(), 7U);
  const auto rows = random_rows(2, 40 * 7);
  std::vector<float> scores(40 * 3);
  model.forward(rows.data(), 40, scores.data());
  for (size_t i = 0; i < 40; ++i) {
    const auto expected = by_hand(network, rows.data() + i * 7);
    for (size_t h = 0; h < 3; ++h) EXPECT_NEAR(scores[i * 3 + h], expected[h], 1e-4);
  }
}

TEST_CASE("row i of the scores depends on row i of the features alone") {
  const TemporaryFolder folder;
  save_scripted_network(random_network(3, {12, 32, 16, 2}), folder.path("model.pt"));
  Model model(options_of(folder.path("model.pt"), 12));
  const auto rows = random_rows(4, 100 * 12);
  std::vector<float> together(100 * 2);
  model.forward(rows.data(), 100, together.data());
  for (size_t i = 0; i < 100; ++i) {
    float alone[2];
    model.forward(rows.data() + i * 12, 1, alone);
    for (size_t h = 0; h < 2; ++h) EXPECT_NEAR(alone[h], together[i * 2 + h], 1e-6 * 32);
  }
  // In another order and cut into other batches.
  std::vector<float> reversed;
  for (size_t i = 100; i-- > 0;) {
    reversed.insert(reversed.end(), rows.begin() + static_cast<ptrdiff_t>(i * 12),
                    rows.begin() + static_cast<ptrdiff_t>(i * 12 + 12));
  }
  std::vector<float> scores(37 * 2);
  model.forward(reversed.data(), 37, scores.data());
  for (size_t i = 0; i < 37; ++i) {
    EXPECT_NEAR(scores[i * 2], together[(99 - i) * 2], 1e-6 * 32);
  }
}

TEST_CASE("threads that share a model get the answers of one thread") {
  const TemporaryFolder folder;
  save_scripted_network(random_network(5, {9, 24, 1}), folder.path("model.pt"));
  Model model(options_of(folder.path("model.pt"), 9));
  EXPECT_EQ(model.heads().front(), "score");
  const auto rows = random_rows(6, 64 * 9);
  std::vector<float> expected(64);
  model.forward(rows.data(), 64, expected.data());
  std::atomic<int> different{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      prepare_torch_thread();
      std::vector<float> scores(64);
      for (int i = 0; i < 100; ++i) {
        model.forward(rows.data(), 64, scores.data());
        for (size_t r = 0; r < 64; ++r) {
          if (!(std::abs(scores[r] - expected[r]) <= 1e-5F)) ++different;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(different.load(), 0);
}

TEST_CASE("a model may answer with one score a row or with a dictionary of heads") {
  const TemporaryFolder folder;
  save_script("def forward(self, features: Tensor) -> Tensor:\n    return features[:, 0]\n",
              folder.path("flat.pt"));
  Model flat(options_of(folder.path("flat.pt"), 2, {"click"}));
  const std::vector<float> rows = {1, 2, 3, 4};
  std::vector<float> one(2);
  flat.forward(rows.data(), 2, one.data());
  EXPECT_EQ(flat.heads().front(), "click");
  EXPECT_EQ(one[1], 3.0F);
  save_script(
      "def forward(self, features: Tensor) -> Dict[str, Tensor]:\n"
      "    return {\"dwell\": features[:, 1], \"click\": features[:, 0]}\n",
      folder.path("dictionary.pt"));
  Model sorted(options_of(folder.path("dictionary.pt"), 2));
  std::vector<float> two(4);
  sorted.forward(rows.data(), 2, two.data());
  EXPECT(sorted.heads() == std::vector<std::string>({"click", "dwell"}));
  EXPECT(two == rows);
  // A description gives the order of the columns.
  Model named(options_of(folder.path("dictionary.pt"), 2, {"dwell", "click"}));
  named.forward(rows.data(), 2, two.data());
  EXPECT(two == std::vector<float>({2, 1, 4, 3}));
  EXPECT_EQ(load_code(folder.path("dictionary.pt"), 2, {"dwell"}), "MODEL_SHAPE");
  EXPECT_EQ(load_code(folder.path("dictionary.pt"), 2, {"dwell", "like"}), "MODEL_SHAPE");
}

TEST_CASE("a model that does not fit its features or its heads is refused") {
  const TemporaryFolder folder;
  save_scripted_network(random_network(7, {4, 2}), folder.path("model.pt"));
  EXPECT_EQ(load_code(folder.path("model.pt"), 4), "none");
  EXPECT_EQ(load_code(folder.path("model.pt"), 5), "MODEL_SHAPE");
  EXPECT_EQ(load_code(folder.path("model.pt"), 3), "MODEL_SHAPE");
  EXPECT_EQ(load_code(folder.path("model.pt"), 4, {"a"}), "MODEL_SHAPE");
  EXPECT_EQ(load_code(folder.path("model.pt"), 4, {"a", "b", "c"}), "MODEL_SHAPE");
}

TEST_CASE("a model that answers in another form is refused") {
  const TemporaryFolder folder;
  const std::string head = "def forward(self, features: Tensor)";
  const std::vector<std::string> bodies = {
      " -> Tensor:\n    return features.sum()\n",
      " -> Tensor:\n    return features.unsqueeze(0)\n",
      " -> Tensor:\n    return torch.cat([features, features], 0)\n",
      " -> int:\n    return 3\n",
      " -> List[Tensor]:\n    return [features]\n",
      " -> Dict[int, Tensor]:\n    return {1: features[:, 0]}\n"};
  for (size_t i = 0; i < bodies.size(); ++i) {
    const std::string path = folder.path(std::to_string(i));
    save_script(head + bodies[i], path);
    EXPECT_EQ(load_code(path, 3), "MODEL_SHAPE");
  }
}

TEST_CASE("a file that is no model, or a part of one, is corrupt") {
  const TemporaryFolder folder;
  std::ofstream(folder.path("empty")).close();
  std::ofstream(folder.path("garbage"), std::ios::binary) << std::string(5000, '\x7f');
  save_scripted_network(random_network(8, {4, 8, 1}), folder.path("whole"));
  const auto size = std::filesystem::file_size(folder.path("whole"));
  for (const char* name : {"empty", "garbage"}) {
    EXPECT_EQ(load_code(folder.path(name), 4), "MODEL_CORRUPT");
  }
  for (const auto kept : {size / 4, size / 2, size - 10}) {
    std::filesystem::copy_file(folder.path("whole"), folder.path("part"),
                               std::filesystem::copy_options::overwrite_existing);
    std::filesystem::resize_file(folder.path("part"), kept);
    EXPECT_EQ(load_code(folder.path("part"), 4), "MODEL_CORRUPT");
  }
}

TEST_CASE("operators are told from other names") {
  for (const char* name : {"relu", "save", "from_file", "add_", "len"}) EXPECT(is_operator(name));
  for (const char* name : {"", "layers", "relu.out", "aten::relu", "Relu"}) {
    EXPECT(!is_operator(name));
  }
}

TEST_CASE("a model that answers NaN or infinity to plain rows is refused") {
  const TemporaryFolder folder;
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    ScriptedNetwork network = random_network(9, {3, 4, 1});
    network.layers[1].weights[2] = bad;
    save_scripted_network(network, folder.path("model.pt"));
    EXPECT_EQ(load_code(folder.path("model.pt"), 3), "MODEL_OUTPUT");
    network = random_network(9, {3, 4, 1});
    network.layers[0].bias[1] = bad;
    save_scripted_network(network, folder.path("model.pt"));
    EXPECT_EQ(load_code(folder.path("model.pt"), 3), "MODEL_OUTPUT");
  }
}

TEST_CASE("a model whose answer changes shape in service says so, and serves the next call") {
  const TemporaryFolder folder;
  save_script(
      "def forward(self, features: Tensor) -> Tensor:\n"
      "    if bool(features[0, 0] > 5.0):\n"
      "        return features[:1, 0]\n"
      "    return features[:, 0]\n",
      folder.path("model.pt"));
  Model model(options_of(folder.path("model.pt"), 1));
  const std::vector<float> bad = {9, 1, 1};
  const std::vector<float> good = {1, 9, 2};
  std::vector<float> scores(3);
  EXPECT_EQ(error_code([&] { model.forward(bad.data(), 3, scores.data()); }), "MODEL_SHAPE");
  model.forward(good.data(), 3, scores.data());
  EXPECT(scores == good);
}

TEST_CASE("a network whose sizes do not fit together is not written") {
  const TemporaryFolder folder;
  const std::string path = folder.path("model.pt");
  ScriptedNetwork network = random_network(10, {3, 4, 1});
  const auto code = [&](const ScriptedNetwork& wrong) {
    return error_code([&] { save_scripted_network(wrong, path); });
  };
  EXPECT_EQ(code({}), "INVALID_ARGUMENT");
  ScriptedNetwork wrong = network;
  wrong.mean.pop_back();
  EXPECT_EQ(code(wrong), "INVALID_ARGUMENT");
  wrong = network;
  wrong.layers[1].inputs = 5;
  EXPECT_EQ(code(wrong), "INVALID_ARGUMENT");
  wrong = network;
  wrong.layers[1].weights.push_back(1);
  EXPECT_EQ(code(wrong), "INVALID_ARGUMENT");
  EXPECT(!std::filesystem::exists(path));
  EXPECT_EQ(error_code([&] { save_scripted_network(network, folder.path("no/such/model.pt")); }),
            "FILE_NOT_WRITTEN");
}

TEST_CASE("every number of rows gives a row the same score, to the last bit") {
  const TemporaryFolder folder;
  // A plain network, and one with an activation and a norm of LibTorch's own between its layers.
  save_scripted_network(random_network(20, {33, 70, 40, 2}), folder.path("network.pt"));
  torch::jit::Module module("Scripted");
  module.register_parameter("a", at::randn({70, 33}) / 6, false);
  module.register_parameter("b", at::randn({2, 70}) / 8, false);
  module.define(
      "def forward(self, x: Tensor) -> Tensor:\n"
      "    h = torch.layer_norm(torch.linear(x, self.a), [70])\n"
      "    return torch.linear(torch.softplus(h), self.b)\n");
  module.save(folder.path("module.pt"));
  constexpr size_t kRows = 5000;
  const auto rows = random_rows(21, kRows * 33);
  Executor helpers({3, 16, prepare_torch_thread});
  for (const Precision precision : {Precision::kFloat32, Precision::kBfloat16, Precision::kInt8}) {
    if (error_code([&] { check_precision(precision); }) != "none") continue;
    for (const char* name : {"network.pt", "module.pt"}) {
      ModelOptions options = options_of(folder.path(name), 33);
      options.precision = precision;
      Model model(options);
      std::vector<float> together(kRows * 2);
      model.forward(rows.data(), kRows, together.data());
      Random random(22);
      for (const size_t count :
           {1, 2, 63, 64, 65, 127, 129, 256, 300, 511, 770, 1025, 1537, 2047, 2048, 2049, 4097}) {
        const auto from =
            static_cast<size_t>(random.between(0, static_cast<double>(kRows - count)));
        std::vector<float> scores(count * 2);
        model.forward(rows.data() + from * 33, count, scores.data());
        size_t different = 0;
        for (size_t i = 0; i < scores.size(); ++i) different += scores[i] != together[from * 2 + i];
        EXPECT_EQ(different, 0U);
        std::vector<float> helped(count * 2);
        model.forward(rows.data() + from * 33, count, helped.data(), &helpers);
        EXPECT(helped == scores);
      }
    }
  }
}

TEST_CASE("lower precisions score close to float32, or are refused where a processor lacks them") {
  const TemporaryFolder folder;
  const ScriptedNetwork network = random_network(23, {20, 64, 32, 1});
  save_scripted_network(network, folder.path("model.pt"));
  ModelOptions options = options_of(folder.path("model.pt"), 20);
  Model model(options);
  constexpr size_t kRows = 400;
  const auto rows = random_rows(24, kRows * 20);
  std::vector<float> exact(kRows);
  model.forward(rows.data(), kRows, exact.data());
  double mean = 0;
  for (const float score : exact) mean += score / kRows;
  for (const Precision precision : {Precision::kBfloat16, Precision::kInt8}) {
    options.precision = precision;
    const std::string code = error_code([&] { check_precision(precision); });
    if (code != "none") {
      EXPECT_EQ(error_code([&] { Model refused(options); }), code);
      continue;
    }
    Model narrow(options);
    std::vector<float> close(kRows);
    narrow.forward(rows.data(), kRows, close.data());
    double squares = 0;
    double spread = 0;
    for (size_t i = 0; i < kRows; ++i) {
      squares += std::pow(close[i] - exact[i], 2) / kRows;
      spread += std::pow(exact[i] - mean, 2) / kRows;
    }
    // Rounded operands, next to how much scores differ among rows: some two thousandths a layer in
    // bfloat16, and three or, where inputs have 7 bits, six times that in int8.
    EXPECT(squares > 0);
    EXPECT_NEAR(std::sqrt(squares / spread), 0, precision == Precision::kInt8 ? 0.02 : 0.01);
  }
}

TEST_CASE("a model whose rows depend on each other is refused") {
  const TemporaryFolder folder;
  for (const char* body : {"x[:, 0] - x[:, 0].mean()", "torch.softmax(x[:, 0], 0) * 1e4",
                           "torch.cumsum(x[:, 0], 0)"}) {
    save_script(std::string("def forward(self, x: Tensor) -> Tensor:\n    return ") + body + "\n",
                folder.path("model.pt"));
    EXPECT_EQ(load_code(folder.path("model.pt"), 2), "MODEL_OUTPUT");
  }
}
