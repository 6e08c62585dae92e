#pragma once

#include <memory>

#include "retrieval/retriever.h"
#include "retrieval/scan_kernels.h"

namespace feedrank {

/// The exact retriever of CPUs: dot product, decay, bound and top k in one pass over coded vectors,
/// newest first, which ends where nothing that is left can come among the k best. The few items
/// that the bounds leave open are scored from their float32 vectors.
std::unique_ptr<Retriever> make_fused_retriever(const ScanKernel& kernel = chosen_scan_kernel());

}  // namespace feedrank
