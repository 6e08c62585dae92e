#pragma once

#include <cstdint>
#include <vector>

namespace feedrank {

/// Turns the score of the first head into a probability of a click: a head of its own.
struct ClickCalibration {
  enum class Kind : uint8_t { kNone, kPlatt, kIsotonic };

  Kind kind = Kind::kNone;
  double slope = 1;                    // kPlatt: sigmoid(slope · score + offset)
  double offset = 0;                   // kPlatt
  std::vector<float> scores{};         // kIsotonic: ascending; linear in between, constant outside
  std::vector<float> probabilities{};  // kIsotonic: one a score, never falling
};

}  // namespace feedrank
