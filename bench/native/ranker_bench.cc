// The ranker that the goals for speed fix, in each precision, at 2,000 rows and at any number.

#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "benchmark.h"
#include "error.h"
#include "ranker_files.h"
#include "ranking/model.h"
#include "ranking/scripted_network.h"

namespace {

using namespace feedrank;
using feedrank::bench::kRankedRows;
using feedrank::bench::kRankerFeatures;

std::unique_ptr<Model> load_ranker(Precision precision) {
  prepare_torch_thread();
  const std::string path =
      feedrank::bench::write_ranker(std::filesystem::temp_directory_path().string());
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  return std::make_unique<Model>(ModelOptions{bytes, path, kRankerFeatures, {}, 1, precision});
}

/// Resident memory, megabytes.
double resident() {
  malloc_trim(0);
  std::ifstream file("/proc/self/statm");
  double total = 0;
  double pages = 0;
  file >> total >> pages;
  return pages * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e6;
}

double page_faults() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_minflt);
}

void rank(bench::Bench& bench, Precision precision) {
  const std::unique_ptr<Model> model = load_ranker(precision);
  const std::vector<float> features = bench::ranker_features();
  std::vector<float> scores(kRankedRows);
  double rounds = 0;
  const double faults = page_faults();
  bench.measure([&] {
    model->forward(features.data(), kRankedRows, scores.data());
    bench::keep(scores.front());
    ++rounds;
  });
  bench.report("pageFaultsPerRound", (page_faults() - faults) / rounds);
}

/// Each round another number of rows, 500 to 2,000.
void rank_sizes(bench::Bench& bench, Precision precision) {
  const std::unique_ptr<Model> model = load_ranker(precision);
  const std::vector<float> features = bench::ranker_features();
  std::vector<float> scores(kRankedRows);
  std::mt19937_64 random(3);
  std::uniform_int_distribution<size_t> sizes(500, kRankedRows);
  const double before = resident();
  bench.measure([&] {
    model->forward(features.data(), sizes(random), scores.data());
    bench::keep(scores.front());
  });
  bench.report("grownMegabytes", resident() - before);
  bench.report("p99OfMedian", bench.times().p99 / bench.times().median);
}

/// What two requests that came at once would gain by sharing a pass: nothing, as long as two lists
/// together take longer than one of them does on a thread of its own.
void rank_short(bench::Bench& bench, Precision precision) {
  constexpr size_t kRows = 50;
  const std::unique_ptr<Model> model = load_ranker(precision);
  const std::vector<float> features = bench::ranker_features();
  std::vector<float> scores(2 * kRows);
  const auto pass = [&](size_t rows) {
    model->forward(features.data(), rows, scores.data());
    bench::keep(scores.front());
  };
  std::vector<double> together;
  for (int i = 0; i < 1000; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    pass(2 * kRows);
    const auto passed = std::chrono::steady_clock::now() - begin;
    together.push_back(std::chrono::duration<double, std::milli>(passed).count());
  }
  std::sort(together.begin(), together.end());
  bench.measure([&] { pass(kRows); });
  bench.report("twoTogether", together[together.size() / 2]);
}

/// A network of these widths with ReLU between its layers, as a file; random weights of one seed.
std::string write_network(const std::vector<uint32_t>& widths) {
  std::mt19937_64 random(4);
  ScriptedNetwork network;
  network.mean.assign(widths.front(), 0.0F);
  network.scale.assign(widths.front(), 1.0F);
  for (size_t l = 0; l + 1 < widths.size(); ++l) {
    const float bound = std::sqrt(6.0F / static_cast<float>(widths[l]));
    std::uniform_real_distribution<float> even(-bound, bound);
    ScriptedNetwork::Layer layer{widths[l], widths[l + 1], {}, {}};
    layer.weights.resize(size_t{layer.inputs} * layer.outputs);
    for (float& weight : layer.weights) weight = even(random);
    layer.bias.assign(layer.outputs, 0.1F);
    network.layers.push_back(std::move(layer));
  }
  const std::string path = (std::filesystem::temp_directory_path() / "network.pt").string();
  save_scripted_network(network, path);
  return path;
}

/// Times int8; rounds of the other precisions take turns with it, and their medians are reported.
void rank_in_turns(bench::Bench& bench, const std::vector<uint32_t>& widths) {
  constexpr size_t kRounds = 500;
  prepare_torch_thread();
  const std::string path = write_network(widths);
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  struct Contender {
    const char* name;
    std::unique_ptr<Model> model;
    std::vector<double> ms;
  };
  std::vector<Contender> contenders;
  const std::pair<const char*, Precision> precisions[] = {{"float32Median", Precision::kFloat32},
                                                          {"bfloat16Median", Precision::kBfloat16},
                                                          {"int8Median", Precision::kInt8}};
  for (const auto& [name, precision] : precisions) {
    try {
      const ModelOptions options{bytes, path, widths.front(), {}, 1, precision};
      contenders.push_back({name, std::make_unique<Model>(options), {}});
    } catch (const Error&) {
      // A processor without bfloat16.
      if (precision != Precision::kBfloat16) throw;
    }
  }
  const std::vector<float> features = bench::ranker_features();
  std::vector<float> scores(kRankedRows);
  for (size_t round = 0; round < kRounds; ++round) {
    for (Contender& contender : contenders) {
      const auto begin = std::chrono::steady_clock::now();
      contender.model->forward(features.data(), kRankedRows, scores.data());
      const auto passed = std::chrono::steady_clock::now() - begin;
      contender.ms.push_back(std::chrono::duration<double, std::milli>(passed).count());
    }
  }
  bench.take(contenders.back().ms);
  for (Contender& contender : contenders) {
    std::sort(contender.ms.begin(), contender.ms.end());
    bench.report(contender.name, contender.ms[kRounds / 2]);
  }
}

}  // namespace

BENCHMARK("ranker-short-fp32", "50 rows through 128-512-256-1, float32, one thread (ms)") {
  rank_short(bench, Precision::kFloat32);
}

BENCHMARK("ranker-short-bf16", "50 rows through 128-512-256-1, bfloat16, one thread (ms)") {
  rank_short(bench, Precision::kBfloat16);
}

BENCHMARK("ranker-short-int8", "50 rows through 128-512-256-1, int8, one thread (ms)") {
  rank_short(bench, Precision::kInt8);
}

BENCHMARK("ranker-fp32", "2,000 rows through 128-512-256-1, float32, one thread (ms)") {
  rank(bench, Precision::kFloat32);
}

BENCHMARK("ranker-bf16", "2,000 rows through 128-512-256-1, bfloat16, one thread (ms)") {
  rank(bench, Precision::kBfloat16);
}

BENCHMARK("ranker-int8", "2,000 rows through 128-512-256-1, int8, one thread (ms)") {
  rank(bench, Precision::kInt8);
}

BENCHMARK("ranker-sizes-fp32", "500 to 2,000 rows, each as likely, float32, one thread (ms)") {
  rank_sizes(bench, Precision::kFloat32);
}

BENCHMARK("ranker-sizes-bf16", "500 to 2,000 rows, each as likely, bfloat16, one thread (ms)") {
  rank_sizes(bench, Precision::kBfloat16);
}

BENCHMARK("ranker-sizes-int8", "500 to 2,000 rows, each as likely, int8, one thread (ms)") {
  rank_sizes(bench, Precision::kInt8);
}

BENCHMARK("ranker-turns-512", "2,000 rows through 128-512-256-1, precisions in turns (ms)") {
  rank_in_turns(bench, {128, 512, 256, 1});
}

BENCHMARK("ranker-turns-128", "2,000 rows through 121-128-64-1, precisions in turns (ms)") {
  rank_in_turns(bench, {121, 128, 64, 1});
}
