#pragma once

#include <cstddef>
#include <span>

namespace feedrank {

/// How alike the items of a pool are, for selectors that want them different.
class Similarity {
 public:
  virtual ~Similarity() = default;

  /// The similarity of one item to each of the pool, itself included; 1 for alike in all, and 0
  /// between any two items of which one has nothing to compare. `out` is as long as the pool.
  virtual void to_all(size_t item, std::span<double> out) const = 0;
};

}  // namespace feedrank
