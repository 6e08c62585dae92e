#include "retrieval/scan_kernels.h"

#include <cstdlib>
#include <vector>

#include "error.h"

namespace feedrank {

std::span<const ScanKernel> scan_kernels() {
  static const std::vector<ScanKernel> kernels = [] {
    std::vector<ScanKernel> found;
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512vnni") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
        __builtin_cpu_supports("avx512f") != 0) {
      found.push_back({"avx512", scan_avx512});
    }
    if (__builtin_cpu_supports("avx2") != 0) found.push_back({"avx2", scan_avx2});
#endif
    found.push_back({"portable", scan_portable});
    return found;
  }();
  return kernels;
}

const ScanKernel& chosen_scan_kernel() {
  const char* wanted = std::getenv("FEEDRANK_KERNEL");
  if (wanted == nullptr || *wanted == '\0') return scan_kernels().front();
  std::string known;
  for (const ScanKernel& kernel : scan_kernels()) {
    if (wanted == std::string(kernel.name)) return kernel;
    known += (known.empty() ? "" : ", ") + std::string(kernel.name);
  }
  throw Error("INVALID_ARGUMENT", "FEEDRANK_KERNEL",
              "FEEDRANK_KERNEL: expected one of those that this processor can run (" + known +
                  "), got '" + wanted + "'");
}

}  // namespace feedrank
