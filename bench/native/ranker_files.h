#ifndef FEEDRANK_BENCH_NATIVE_RANKER_FILES_H_
#define FEEDRANK_BENCH_NATIVE_RANKER_FILES_H_

#include <cstdint>
#include <string>
#include <vector>

namespace feedrank::bench {

/// The ranker that the goals for speed fix: 128 features → 512 → 256 → 1, ReLU between, an ordinary
/// TorchScript module with random weights of one seed.
constexpr uint32_t kRankerFeatures = 128;
constexpr uint32_t kRankedRows = 2'000;

/// Features of 2,000 rows, standard normal, row-major.
std::vector<float> ranker_features();

/// Writes ranker.pt, ranker.weights (float32: for each layer its weights, outputs × inputs, and its
/// bias) and ranker.features (float32). Returns the path of ranker.pt.
std::string write_ranker(const std::string& folder);

}  // namespace feedrank::bench

#endif  // FEEDRANK_BENCH_NATIVE_RANKER_FILES_H_
