#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "catalog/snapshot.h"
#include "retrieval/decay.h"

namespace feedrank {

class Executor;

/// Of an approximate search where nobody says otherwise: more than 0.97 of the best 10 to 500 were
/// found where vectors point in random directions, and nearly all where they lie in clusters.
inline constexpr double kDefaultEffort = 0.35;

struct RetrievalQuery {
  std::span<const float> vector;  // as long as the space has dimensions
  int64_t now = 0;
  double tau_ms = 0;  // above 0; infinity for no decay
  uint32_t k = 0;
  NegativeDots negatives = NegativeDots::kDecay;
  /// Of an approximate search, from 0 to 1; none for the exact one. At 1 the answers are the same.
  std::optional<double> effort = std::nullopt;
};

struct Retrieved {
  Row row = kNoRow;
  double score = 0;
};

/// Finds the items with the highest dot(user, item) · exp(−age / τ). Moves click-through where
/// embeddings are good; costs a pass over the newer part of the catalog's vectors. Other
/// implementations (graphs over time segments) stand behind the same interface.
class Retriever {
 public:
  virtual ~Retriever() = default;

  /// For each query at most k items, best first; equal scores newer first, then smaller id. Scores
  /// are computed in double precision from the float32 vectors. Idle threads of `helpers`, where it
  /// is not null, take part of the work.
  virtual std::vector<std::vector<Retrieved>> retrieve(const Snapshot& snapshot, uint32_t space,
                                                       std::span<const RetrievalQuery> queries,
                                                       Executor* helpers) const = 0;
};

/// The exact retriever of a device: a fused scan on the CPU, LibTorch elsewhere. `device` is "cpu"
/// or "cuda"; throws DEVICE_UNAVAILABLE where there is none of that name.
std::unique_ptr<Retriever> make_retriever(const std::string& device);

}  // namespace feedrank
