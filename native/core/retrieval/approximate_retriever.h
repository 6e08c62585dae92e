#pragma once

#include <memory>

#include "retrieval/retriever.h"
#include "retrieval/scan_kernels.h"

namespace feedrank {

/// Searches inverted lists in order of what their items are expected to score, and ends where that
/// falls below the k-th score. Segments that have no lists, and what was written lately, are
/// scanned as the exact retriever does, so what a write has brought is found at once. Queries must
/// name an effort and not be of length 0.
///
/// A list's items are expected to score at most weight · norm · cos(max(0, angle − effort ·
/// radius)), as expected_cosines says, with the weight of its newest item and the largest of its
/// norms.
std::unique_ptr<Retriever> make_approximate_retriever(
    const ScanKernel& kernel = chosen_scan_kernel());

}  // namespace feedrank
