#pragma once

#include <cstddef>

namespace feedrank {

/// What a greedy selection maximises, one item after another.
class Objective {
 public:
  virtual ~Objective() = default;

  /// What the item would add to the slate as it stands; −infinity where this objective cannot tell.
  /// Exact where it is above `to_beat`; otherwise any number that is not.
  virtual double value(size_t item, double to_beat) = 0;

  /// The part of the value that is not the item's own relevance; finite.
  virtual double diversity(size_t item) const = 0;

  virtual void take(size_t item) = 0;
};

}  // namespace feedrank
