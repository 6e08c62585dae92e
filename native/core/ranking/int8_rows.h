#pragma once

#include <cstddef>
#include <cstdint>

// The loops of an int8 layer over one row, with plain data alone. They give the same bits on every
// processor.

namespace feedrank {

/// How far a row's numbers reach, and 0 with them, as integers of the same order as the numbers:
/// integers may be compared in any order, so that the loop becomes one over vectors, and NaN lies
/// beyond infinity.
struct RowRange {
  int32_t least = 0;
  int32_t greatest = 0;
};

RowRange range_of(const float* x, size_t width);

/// How a row's numbers lie on its codes: x ≈ step · (code − zero). A row that holds NaN or infinity
/// has a step of NaN.
struct RowScale {
  float step = 1;
  float zero = 0;
};

/// Codes from 0 to `most`, over its range, of a row.
RowScale quantize_row(const float* x, size_t width, RowRange range, int32_t most, uint8_t* codes);

/// What turns a row's sums of products of codes into numbers; of each output.
struct OutputScales {
  const float* step = nullptr;         // of its weights
  const float* weight_sums = nullptr;  // the sum of its weights' codes
  const float* bias = nullptr;
};

/// Sums Σ code · weight code to numbers, in other memory, negative ones to 0 where `relu`.
RowRange rescale_row(const float* sums, size_t width, RowScale row, const OutputScales& outputs,
                     bool relu, float* result);

}  // namespace feedrank
