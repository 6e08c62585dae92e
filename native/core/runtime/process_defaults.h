#pragma once

#include <cstdint>

namespace feedrank {

/// Settings of the process, for profiles that do not set them: shared by all of its threads.
struct ProcessDefaults {
  double budget_ms = 30;
  double budget_percentile = 99;
  /// Raised with every change, so that whoever keeps a copy knows that it is old.
  uint32_t version = 0;
};

ProcessDefaults process_defaults();
/// Just the version: cheap enough for every request.
uint32_t process_defaults_version();
void set_process_defaults(double budget_ms, double budget_percentile);

}  // namespace feedrank
