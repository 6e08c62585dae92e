#include "ranking/row_buckets.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "error.h"

namespace feedrank {
namespace {

/// Each at most half as large again as the one before where rows are what costs, so that a list
/// takes at most half as long again as it must.
constexpr size_t kSizes[] = {64, 128, 256, 512, 768, 1024, 1536, RowBuckets::kMostRows};
/// Buckets from here on stay whatever they answer: without them short lists would cost too much.
constexpr size_t kSmall = 256;
/// How far rows are moved within a bucket to see whether their place matters.
constexpr size_t kMoved = 37;
/// A module is as fast as it will be from its third pass on.
constexpr int kPasses = 3;

std::vector<float> plain_rows(size_t rows, uint32_t features) {
  std::vector<float> values(rows * features);
  uint32_t state = 1;
  for (float& value : values) {
    state = state * 1664525U + 1013904223U;
    value = static_cast<float>(state >> 8) * 0x1p-23F - 1.0F;
  }
  return values;
}

std::vector<float> scores_of(ModelBackend& backend, const float* features, size_t rows,
                             const char* what) {
  std::vector<float> scores(rows * backend.heads().size());
  backend.forward(features, rows, scores.data());
  if (!std::all_of(scores.begin(), scores.end(), [](float s) { return std::isfinite(s); })) {
    throw Error("MODEL_OUTPUT", "model",
                std::string("model: expected finite scores, got NaN or infinity for ") + what);
  }
  return scores;
}

/// How many values differ at all, and how many by more than rounding does.
struct Difference {
  size_t any = 0;
  size_t large = 0;
};

void add_difference(const std::vector<float>& scores, const float* expected, float rounding,
                    Difference& found) {
  for (size_t i = 0; i < scores.size(); ++i) {
    if (scores[i] == expected[i]) continue;
    ++found.any;
    const float bound = rounding * std::max(1.0F, std::abs(expected[i]));
    if (std::abs(scores[i] - expected[i]) > bound) ++found.large;
  }
}

}  // namespace

RowBuckets::RowBuckets(ModelBackend& backend, uint32_t features, float rounding)
    : features_(features) {
  constexpr const char* kPlain = "rows of values in [-1, 1)";
  const std::vector<float> zeros(kSmall * features);
  for (int pass = 0; pass < kPasses; ++pass) {
    (void)scores_of(backend, zeros.data(), kSmall, "a row of zeros");
  }
  const std::vector<float> rows = plain_rows(kMostRows, features);
  const std::vector<float> reference = scores_of(backend, rows.data(), kMostRows, kPlain);
  const size_t heads = backend.heads().size();
  for (const size_t size : kSizes) {
    Difference found;
    size_t compared = 0;
    // Rows at their places, at others, and the last ones: bfloat16 rounds most of a difference
    // away, so that many rows are needed to see one.
    std::vector<size_t> begins = {std::min(kMoved, kMostRows - size), kMostRows - size};
    for (size_t begin = 0; begin + size <= kMostRows; begin += size) begins.push_back(begin);
    for (const size_t begin : begins) {
      const std::vector<float> scores =
          scores_of(backend, rows.data() + begin * features, size, kPlain);
      add_difference(scores, reference.data() + begin * heads, rounding, found);
      compared += scores.size();
    }
    if (2 * found.large > compared) {
      throw Error("MODEL_OUTPUT", "model",
                  "model: expected the scores of a row to depend on that row alone, got others "
                  "among " +
                      std::to_string(size) + " rows than among " + std::to_string(kMostRows));
    }
    if (size >= kSmall || found.any == 0) sizes_.push_back(size);
    if (size >= kSmall && found.any > 0) rows_stand_alone_ = false;
  }
}

void RowBuckets::warm_up(ModelLane& lane) const {
  const std::vector<float> zeros(kMostRows * features_);
  std::vector<float> scores(kMostRows * lane.backend->heads().size());
  const ScratchMemory::Use use(lane.scratch);
  for (int pass = 0; pass < kPasses; ++pass) {
    lane.backend->forward(zeros.data(), sizes_.front(), scores.data());
  }
  // The largest first, so that its memory serves the others.
  for (auto size = sizes_.rbegin(); size != sizes_.rend(); ++size) {
    lane.backend->forward(zeros.data(), *size, scores.data());
  }
}

size_t RowBuckets::bucket_of(size_t rows) const {
  return *std::lower_bound(sizes_.begin(), sizes_.end(), rows);
}

void RowBuckets::forward(ModelLane& lane, const float* features, size_t rows, float* scores) const {
  const ScratchMemory::Use use(lane.scratch);
  const size_t heads = lane.backend->heads().size();
  while (rows > 0) {
    const size_t count = std::min(rows, kMostRows);
    const size_t size = bucket_of(count);
    if (size == count) {
      lane.backend->forward(features, count, scores);
    } else {
      lane.features.resize(size * features_);
      lane.scores.resize(size * heads);
      float* padded = std::copy_n(features, count * features_, lane.features.data());
      const float* last = features + (count - 1) * features_;
      for (size_t row = count; row < size; ++row) padded = std::copy_n(last, features_, padded);
      lane.backend->forward(lane.features.data(), size, lane.scores.data());
      std::copy_n(lane.scores.data(), count * heads, scores);
    }
    features += count * features_;
    scores += count * heads;
    rows -= count;
  }
}

}  // namespace feedrank
