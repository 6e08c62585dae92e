// Retrieval and the ranker on a CUDA device, copies to and from it included. Without one they are
// skipped, which their lines say.

#include <torch/script.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "benchmark.h"
#include "data_set.h"
#include "error.h"
#include "filled_catalog.h"
#include "ranker_files.h"
#include "ranking/model.h"
#include "ranking/torch_device.h"
#include "retrieval/device_retriever.h"

namespace {

using namespace feedrank;
using feedrank::bench::DataSet;
using feedrank::bench::kRankedRows;
using feedrank::bench::kRankerFeatures;

constexpr uint32_t kFound = 500;

/// Whether there is a device; else the benchmark is skipped.
bool has_cuda(bench::Bench& bench) {
  try {
    (void)torch_device("cuda");
    return true;
  } catch (const Error& error) {
    bench.skip("cuda", error.what());
    return false;
  }
}

/// A round asks one query, of items that are on the device already.
void retrieve(bench::Bench& bench, uint32_t items, uint32_t dimensions) {
  if (!has_cuda(bench)) return;
  DataSet set = DataSet::generate("clustered", items, dimensions);
  const auto catalog = bench::filled_catalog(set);
  set.vectors = {};  // The catalog has its own.
  const auto retriever = make_device_retriever("cuda");
  size_t next = 0;
  bench.measure([&] {
    const std::vector<RetrievalQuery> queries = {
        {set.query(next++), DataSet::kNow, DataSet::kTauMs, kFound, NegativeDots::kDecay}};
    bench::keep(retriever->retrieve(*catalog->pin(), 0, queries, nullptr));
  });
}

void rank(bench::Bench& bench, Precision precision) {
  if (!has_cuda(bench)) return;
  prepare_torch_thread();
  ModelOptions options;
  options.name = bench::write_ranker(std::filesystem::temp_directory_path().string());
  std::ifstream file(options.name, std::ios::binary);
  options.bytes.assign(std::istreambuf_iterator<char>(file), {});
  options.features = kRankerFeatures;
  options.precision = precision;
  options.device = "cuda";
  Model model(options);
  const std::vector<float> features = bench::ranker_features();
  std::vector<float> scores(kRankedRows);
  bench.measure([&] {
    model.forward(features.data(), kRankedRows, scores.data());
    bench::keep(scores.front());
  });
}

}  // namespace

BENCHMARK("cuda-retrieval-1m-64", "exact decayed top 500 of 1M x 64 on CUDA, one query") {
  retrieve(bench, 1'000'000, 64);
}
BENCHMARK("cuda-retrieval-1m-128", "exact decayed top 500 of 1M x 128 on CUDA, one query") {
  retrieve(bench, 1'000'000, 128);
}
BENCHMARK("cuda-retrieval-10m-64", "exact decayed top 500 of 10M x 64 on CUDA, one query") {
  retrieve(bench, 10'000'000, 64);
}
BENCHMARK("cuda-retrieval-10m-128", "exact decayed top 500 of 10M x 128 on CUDA, one query") {
  retrieve(bench, 10'000'000, 128);
}
BENCHMARK("cuda-ranker-fp32", "2,000 rows through 128-512-256-1 on CUDA, float32 (ms)") {
  rank(bench, Precision::kFloat32);
}
BENCHMARK("cuda-ranker-bf16", "2,000 rows through 128-512-256-1 on CUDA, bfloat16 (ms)") {
  rank(bench, Precision::kBfloat16);
}
