// What codes leave out is never more than they say.

#include "retrieval/scan_coding.h"

#include <cmath>
#include <limits>
#include <vector>

#include "check.h"
#include "support.h"

namespace {

using namespace feedrank;
using namespace feedrank::testing;

double length(const std::vector<double>& vector) {
  double squares = 0;
  for (const double value : vector) squares += value * value;
  return std::sqrt(squares);
}

void expect_bounds(const std::vector<float>& values) {
  std::vector<int8_t> codes(values.size() + 3, 99);
  const CodedVector coded = code_vector(values, codes);
  std::vector<double> exact(values.begin(), values.end());
  std::vector<double> code(codes.begin(), codes.end());
  std::vector<double> residual;
  for (size_t d = 0; d < values.size(); ++d) residual.push_back(exact[d] - coded.scale * code[d]);
  EXPECT_EQ(coded.scale, static_cast<double>(static_cast<float>(coded.scale)));
  EXPECT(coded.scale > 0);
  EXPECT_NEAR(coded.norm, length(exact), 1e-12 * length(exact));
  EXPECT_NEAR(coded.code_norm, length(code), 1e-9);
  EXPECT_NEAR(coded.residual * coded.scale, length(residual), 1e-12 * length(exact));
  // Half a step in each dimension, and a hair.
  EXPECT(coded.residual <= 0.5001 * std::sqrt(static_cast<double>(values.size())));
  for (size_t d = 0; d < codes.size(); ++d) {
    EXPECT(codes[d] >= -127);
    if (d >= values.size()) EXPECT_EQ(int{codes[d]}, 0);
  }
}

}  // namespace

TEST_CASE("codes of vectors of any size say how far they are off") {
  Random random(1);
  for (const double size : {1e-45, 1e-38, 1e-30, 1e-10, 1.0, 1e10, 3e38}) {
    for (const size_t dimensions : {size_t{1}, size_t{5}, size_t{64}}) {
      std::vector<float> values;
      for (size_t d = 0; d < dimensions; ++d) {
        values.push_back(static_cast<float>(random.between(-size, size)));
      }
      expect_bounds(values);
      values[0] = static_cast<float>(size);
      expect_bounds(values);
    }
  }
  expect_bounds({0, 0, 0});
  expect_bounds({-1, 1, 0.5F});
  expect_bounds({std::numeric_limits<float>::max(), std::numeric_limits<float>::denorm_min()});
}

TEST_CASE("codes of a vector that is a multiple of whole numbers leave nothing out") {
  std::vector<int8_t> codes(4);
  const CodedVector coded = code_vector(std::vector<float>{-127, 3, 0, 127}, codes);
  EXPECT_EQ(coded.scale, 1.0);
  EXPECT_EQ(coded.residual, 0.0);
  EXPECT(codes == std::vector<int8_t>({-127, 3, 0, 127}));
}
