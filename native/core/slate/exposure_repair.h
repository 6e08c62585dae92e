#pragma once

#include <vector>

#include "slate/exposure_pattern.h"

namespace feedrank {

/// Local search: makes the one change of a pattern that brings exposures nearest to their bands, of
/// equally near ones the one of most value, until no change is better. A change swaps the classes
/// of two positions, or gives a position another class that has items left. Looks at the last 128
/// positions.
void repair_exposure(const ExposureProblem& problem, std::vector<uint32_t>& classes);

}  // namespace feedrank
