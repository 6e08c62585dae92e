#include "retrieval/device_retriever.h"

#include <torch/script.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "error.h"
#include "ranking/torch_device.h"
#include "retrieval/exact_scores.h"
#include "retrieval/resident_items.h"

namespace feedrank {
namespace {

/// What float32 may lose or add to a bounded score: more than the rounding of its three factors,
/// the exponential's included.
constexpr double kRelative = 0x1p-15;
/// And what lies below the smallest float32.
constexpr double kAbsolute = 0x1p-140;

/// |computed − true| of the product of two vectors of unit length: each was rounded to float16
/// (2⁻¹¹ relative, 2⁻²⁵ a coordinate below its smallest normal), the sum is float32's.
double product_error(uint32_t dimensions) {
  const double rounding = 0x1p-11 + std::sqrt(static_cast<double>(dimensions)) * 0x1p-25;
  return 2.01 * rounding + (dimensions + 3) * 0x1p-23;
}

class DeviceRetriever final : public Retriever {
 public:
  explicit DeviceRetriever(c10::Device device) : device_(device) {}

  std::vector<std::vector<Retrieved>> retrieve(const Snapshot& snapshot, uint32_t space,
                                               std::span<const RetrievalQuery> queries,
                                               Executor* /*helpers*/) const override {
    const c10::InferenceMode inference;
    const OwnStream stream(device_);
    const auto items = ResidentItems::of(snapshot.catalog(), space, device_);
    const uint32_t dimensions = snapshot.catalog().schema().spaces[space].dimensions;
    std::vector<std::vector<BoundedScore>> shortlists(queries.size());
    const at::Tensor users = units(queries, dimensions);
    items->read(snapshot, [&](const ResidentItems::Columns& columns) {
      scan(snapshot, columns, users, queries, dimensions, shortlists);
    });
    std::vector<std::vector<Retrieved>> results;
    for (size_t q = 0; q < queries.size(); ++q) {
      results.push_back(best_by_exact_score(snapshot, space, queries[q], shortlists[q]));
    }
    return results;
  }

 private:
  /// The queries' vectors at unit length, [queries, dimensions], on the device. Of a query's own
  /// length nothing depends but the scores' common scale.
  at::Tensor units(std::span<const RetrievalQuery> queries, uint32_t dimensions) const {
    const at::Tensor users =
        host_staging(device_, {static_cast<int64_t>(queries.size()), dimensions}, at::kHalf);
    auto* out = users.data_ptr<c10::Half>();
    for (const RetrievalQuery& query : queries) {
      const float* vector = query.vector.data();
      const double length = std::sqrt(dot_product(vector, vector, dimensions));
      for (uint32_t d = 0; d < dimensions; ++d) {
        *out++ = length > 0 ? static_cast<float>(double{vector[d]} / length) : 0.0F;
      }
    }
    constexpr bool kNonBlocking = true;
    return users.to(device_, kNonBlocking);
  }

  /// Products of float16 vectors, summed and kept in float32.
  at::Tensor products(const at::Tensor& users, const at::Tensor& units) const {
    if (device_.is_cuda()) return at::mm(users, units.t(), at::kFloat);
    return at::mm(users.to(at::kFloat), units.t().to(at::kFloat));
  }

  void scan(const Snapshot& snapshot, const ResidentItems::Columns& columns,
            const at::Tensor& users, std::span<const RetrievalQuery> queries, uint32_t dimensions,
            std::vector<std::vector<BoundedScore>>& shortlists) const {
    const int64_t rows = snapshot.row_count();
    if (rows == 0) return;
    // What is held at once is bounded: four million rows by eight queries are 128 MiB of products.
    constexpr int64_t kSlab = int64_t{1} << 22;
    constexpr int64_t kTurn = 8;
    const auto count = static_cast<int64_t>(queries.size());
    for (int64_t begin = 0; begin < count; begin += kTurn) {
      const int64_t turn = std::min(kTurn, count - begin);
      std::vector<Best> best(static_cast<size_t>(turn));
      for (int64_t first = 0; first < rows; first += kSlab) {
        const int64_t slab = std::min(kSlab, rows - first);
        const at::Tensor dots =
            products(users.narrow(0, begin, turn), columns.units.narrow(0, first, slab));
        for (int64_t q = 0; q < turn; ++q) {
          add(snapshot, columns, dots.select(0, q), queries[static_cast<size_t>(begin + q)], first,
              product_error(dimensions), best[static_cast<size_t>(q)]);
        }
      }
      for (int64_t q = 0; q < turn; ++q) {
        shortlists[static_cast<size_t>(begin + q)] = best[static_cast<size_t>(q)].finish();
      }
    }
  }

  /// The shortlist of one query over the slabs seen so far.
  struct Best {
    at::Tensor lows;  // the k highest of what items score at least; −∞ where there are fewer
    float threshold = -std::numeric_limits<float>::infinity();
    std::vector<at::Tensor> rows;   // int64, those whose high reached the threshold of their time
    std::vector<at::Tensor> highs;  // float32

    /// Without bounds, because what is left has been held against them all.
    std::vector<BoundedScore> finish() const {
      constexpr double kUnknown = std::numeric_limits<double>::infinity();
      std::vector<BoundedScore> kept;
      for (size_t s = 0; s < rows.size(); ++s) {
        const at::Tensor reaching = rows[s].index({highs[s] >= threshold}).cpu();
        for (int64_t i = 0; i < reaching.numel(); ++i) {
          const int64_t row = reaching.data_ptr<int64_t>()[i];
          kept.push_back({kUnknown, -kUnknown, static_cast<Row>(row)});
        }
      }
      return kept;
    }
  };

  void add(const Snapshot& snapshot, const ResidentItems::Columns& columns, const at::Tensor& dots,
           const RetrievalQuery& query, int64_t first, double error, Best& best) const {
    if (query.k == 0) return;
    const int64_t slab = dots.numel();
    const auto epoch = static_cast<int64_t>(snapshot.epoch());
    const at::Tensor visible = columns.added.narrow(0, first, slab)
                                   .le(epoch)
                                   .logical_and_(columns.removed.narrow(0, first, slab).gt(epoch));
    // Ages and quotients in double precision: epoch milliseconds do not fit into float32.
    const at::Tensor weights = columns.publish_times.narrow(0, first, slab)
                                   .sub(static_cast<double>(query.now))
                                   .clamp_max_(0)
                                   .div_(query.tau_ms)
                                   .exp_();
    const at::Tensor lengths = columns.lengths.narrow(0, first, slab);
    const at::Tensor decayed_lengths = weights.mul_(lengths).to(at::kFloat);
    const at::Tensor highs = bounded(dots + error, decayed_lengths, lengths, query.negatives, 1);
    const at::Tensor lows = bounded(dots - error, decayed_lengths, lengths, query.negatives, -1);
    at::Tensor eligible = visible;
    if (query.negatives == NegativeDots::kDrop) eligible = visible.logical_and(dots.ge(-error));
    const at::Tensor none = at::full({}, -std::numeric_limits<float>::infinity(), lows.options());
    const at::Tensor counted = at::where(eligible, lows, none);
    const int64_t k = query.k;
    at::Tensor known = std::get<0>(counted.topk(std::min(k, slab)));
    if (best.lows.defined()) {
      known = at::cat({best.lows, known});
      known = std::get<0>(known.topk(std::min(k, known.numel())));
    }
    best.lows = known;
    if (known.numel() == k) best.threshold = known.min().item<float>();
    const at::Tensor found = eligible.logical_and(highs.ge(best.threshold)).nonzero().squeeze(1);
    best.rows.push_back(found + first);
    best.highs.push_back(highs.index_select(0, found));
  }

  /// Decayed scores from products of unit vectors, moved outwards (`sign` 1 up, −1 down) by what
  /// float32 may have lost.
  static at::Tensor bounded(const at::Tensor& dots, const at::Tensor& decayed_lengths,
                            const at::Tensor& lengths, NegativeDots negatives, double sign) {
    at::Tensor scores = dots * decayed_lengths;
    if (negatives == NegativeDots::kKeep) {
      scores = at::where(dots < 0, dots * lengths.to(at::kFloat), scores);
    }
    return scores + (scores.abs() * kRelative + kAbsolute) * sign;
  }

  c10::Device device_;
};

}  // namespace

std::unique_ptr<Retriever> make_device_retriever(const std::string& device) {
  return std::make_unique<DeviceRetriever>(torch_device(device));
}

}  // namespace feedrank
