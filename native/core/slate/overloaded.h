#pragma once

#include <string>

#include "error.h"

namespace feedrank {

/// Thrown where a request is refused because others are in front of it.
class Overloaded : public Error {
 public:
  Overloaded(const std::string& argument, const std::string& message, double retry_after_ms)
      : Error("OVERLOADED", argument, message), retry_after_ms_(retry_after_ms) {}

  /// When there may be room again, if nobody else comes: whole milliseconds, at least 1.
  double retry_after_ms() const noexcept { return retry_after_ms_; }

 private:
  double retry_after_ms_;
};

}  // namespace feedrank
