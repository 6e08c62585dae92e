// What LibTorch alone makes of the ranker: a peer of ours, which runs in a process of its own.

#include <ATen/Parallel.h>
#include <torch/script.h>

#include <filesystem>

#include "benchmark.h"
#include "data_set.h"
#include "ranker_files.h"

BENCHMARK("ranker-plain-torchscript",
          "2,000 rows through 128-512-256-1, torch::jit::load and forward, one thread (ms)") {
  using namespace feedrank::bench;
  at::set_num_threads(1);
  const c10::InferenceMode inference;
  const std::string& given = DataSet::folder();
  const auto folder = given.empty() ? std::filesystem::temp_directory_path().string() : given;
  torch::jit::Module module = torch::jit::load(write_ranker(folder));
  module.eval();
  std::vector<float> features = ranker_features();
  const std::vector<c10::IValue> input{
      at::from_blob(features.data(), {kRankedRows, kRankerFeatures}, at::kFloat)};
  bench.measure([&] { keep(module.forward(input).toTensor().data_ptr<float>()); });
}
