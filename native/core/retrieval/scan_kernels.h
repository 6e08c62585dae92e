#pragma once

#include <span>
#include <string>

#include "retrieval/scan_kernel.h"

namespace feedrank {

/// One compilation of a scan's innermost loops. All give the same integers.
struct ScanKernel {
  const char* name;  // portable, avx2 or avx512
  ScanFunction scan;
};

/// Those that this processor can run, the fastest first.
std::span<const ScanKernel> scan_kernels();

/// The fastest, or the one that the environment variable FEEDRANK_KERNEL names. Throws
/// INVALID_ARGUMENT where it names none that this processor can run.
const ScanKernel& chosen_scan_kernel();

}  // namespace feedrank
