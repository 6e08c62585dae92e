#include "ranking/precision.h"

#include "error.h"

namespace feedrank {
namespace {

bool has_bfloat16() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512bf16") != 0;
#else
  return false;
#endif
}

}  // namespace

void check_precision(Precision precision) {
  if (precision == Precision::kFloat32 || has_bfloat16()) return;
  throw Error("PRECISION_UNAVAILABLE", "precision",
              "precision: expected 'float32', got 'bfloat16', for which this processor has no "
              "instructions (avx512_bf16)");
}

}  // namespace feedrank
