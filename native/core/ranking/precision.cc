#include "ranking/precision.h"

#include "error.h"
#include "ranking/int8_chain.h"
#include "ranking/onednn_weight.h"

namespace feedrank {
namespace {

bool has_bfloat16() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512bf16") == 0) return false;
  try {
    // oneDNN may have been told to keep to fewer instructions than there are.
    (void)onednn_weight(at::ones({32, 32}, at::kBFloat16));
    return true;
  } catch (const c10::Error&) {
    return false;
  }
#else
  return false;
#endif
}

}  // namespace

void check_precision(Precision precision) {
  if (precision == Precision::kBfloat16 && !has_bfloat16()) {
    throw Error("PRECISION_UNAVAILABLE", "precision",
                "precision: expected 'float32' or 'int8', got 'bfloat16', for which this processor "
                "has no instructions (avx512_bf16)");
  }
  if (precision == Precision::kInt8 && greatest_input_code() == 0) {
    throw Error("PRECISION_UNAVAILABLE", "precision",
                "precision: expected 'float32', got 'int8', for which LibTorch has no product on "
                "this processor");
  }
}

}  // namespace feedrank
