#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

namespace feedrank {

/// What a ranker that only looks on has come to beside the one that answers. Thread-safe; of
/// bounded size.
class ShadowLog {
 public:
  /// Latencies of so many requests are remembered, the latest.
  static constexpr size_t kRemembered = 1024;

  /// One request of both rankers. NaN where an agreement is not defined.
  struct Comparison {
    double top_overlap = 0;
    double kendall_tau = 0;
    double live_ms = 0;
    double shadow_ms = 0;
  };

  void scored(const Comparison& comparison);
  void skipped();
  void failed(std::string why);

  struct Percentiles {
    double p50 = 0;
    double p99 = 0;
  };
  struct Report {
    uint64_t scored = 0;
    uint64_t skipped = 0;
    uint64_t failed = 0;
    std::string last_failure;
    double top_overlap = 0;  // means; NaN where nothing has been compared
    double kendall_tau = 0;
    Percentiles live_ms;  // of the requests that are remembered
    Percentiles shadow_ms;
  };
  Report report() const;

 private:
  struct Mean {
    double sum = 0;
    uint64_t count = 0;
    void add(double value);
    double value() const;
  };

  mutable std::mutex mutex_;
  Report counts_;  // its counts and its failure
  Mean overlap_;
  Mean tau_;
  std::vector<double> live_ms_;
  std::vector<double> shadow_ms_;
  size_t next_ = 0;  // the latency to be forgotten next
};

}  // namespace feedrank
