#ifndef FEEDRANK_BENCH_NATIVE_DATA_SET_H_
#define FEEDRANK_BENCH_NATIVE_DATA_SET_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace feedrank::bench {

/// Items and readers as the goals for speed fix them: unit vectors in 1,000 clusters (centre +
/// 0.5 · unit noise, renormalised), seed 1, readers from the same clusters. The same bytes reach
/// feedrank and what it is compared with: a set is written to files once, and all read them.
struct DataSet {
  static constexpr int64_t kNow = 1'700'000'000'000;
  static constexpr double kTauMs = 24.0 * 3'600'000;
  static constexpr uint32_t kQueries = 64;

  uint32_t items = 0;
  uint32_t dimensions = 0;
  std::vector<float> vectors;          // items × dimensions, row-major
  std::vector<int64_t> publish_times;  // epoch milliseconds, in no order
  std::vector<float> queries;          // kQueries × dimensions, row-major, unit vectors

  std::span<const float> query(size_t i) const {
    return std::span(queries).subspan(i % kQueries * dimensions, dimensions);
  }

  /// By name: `clustered` has ages like Exp(τ), `ten-tau` ages even over 10 τ, and `random` has
  /// random directions instead of clusters, which is the worst case for bounds. Throws
  /// std::invalid_argument.
  static DataSet generate(const std::string& name, uint32_t items = 1'000'000,
                          uint32_t dimensions = 64);

  /// Reads the set from `folder()` where it has been written there; else generates it.
  static DataSet of(const std::string& name);

  /// Writes NAME.vectors (float32), NAME.ages (int64, milliseconds) and NAME.queries (float32),
  /// little-endian and without headers, and settings.json with dimensions, now and τ.
  void write(const std::string& folder, const std::string& name) const;

  /// Writes stored.features: of 1,000,000 items 126 values each (float32, standard normal), which
  /// the end-to-end comparison holds with them.
  static void write_stored_features(const std::string& folder);

  /// What --data names.
  static std::string& folder();
};

}  // namespace feedrank::bench

#endif  // FEEDRANK_BENCH_NATIVE_DATA_SET_H_
