#include <torch/script.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <queue>

#include "catalog/catalog.h"
#include "retrieval/device_retriever.h"
#include "retrieval/rescoring.h"
#include "retrieval/retriever.h"

namespace feedrank {
namespace {

/// Collects the items that may be among the k best. A float32 score is uncertain by a known bound,
/// so an item is kept while the best that it can be is not below the k-th of the worst that others
/// can be; rescoring in double precision then decides exactly.
class Shortlist {
 public:
  explicit Shortlist(uint32_t k) : k_(k), limit_(4 * size_t{k} + 1024) {}

  double threshold() const { return threshold_; }

  void offer(Row row, double low, double high) {
    if (high < threshold_ || k_ == 0) return;
    if (lows_.size() < k_) {
      lows_.push(low);
      if (lows_.size() == k_) threshold_ = lows_.top();
    } else if (low > lows_.top()) {
      lows_.pop();
      lows_.push(low);
      threshold_ = lows_.top();
    }
    kept_.push_back({row, high});
    if (kept_.size() >= limit_) {
      prune();
      // Many equal scores leave nothing to prune; doubling keeps the work linear.
      if (kept_.size() * 2 > limit_) limit_ *= 2;
    }
  }

  std::vector<Row> finish() {
    prune();
    std::vector<Row> rows;
    rows.reserve(kept_.size());
    for (const Retrieved& item : kept_) rows.push_back(item.row);
    return rows;
  }

 private:
  void prune() {
    std::erase_if(kept_, [this](const Retrieved& item) { return item.score < threshold_; });
  }

  uint32_t k_;
  size_t limit_;
  double threshold_ = -std::numeric_limits<double>::infinity();
  std::priority_queue<double, std::vector<double>, std::greater<>> lows_;
  std::vector<Retrieved> kept_;  // score holds the upper bound
};

class ExactRetriever final : public Retriever {
 public:
  explicit ExactRetriever(c10::Device device) : device_(device) {}

  std::vector<std::vector<Retrieved>> retrieve(
      const Snapshot& snapshot, uint32_t space,
      std::span<const RetrievalQuery> queries) const override {
    // A chunk's dot products with all queries are held at once, so many queries go in turns.
    constexpr size_t kTurn = 64;
    std::vector<std::vector<Retrieved>> results;
    for (size_t begin = 0; begin < queries.size(); begin += kTurn) {
      const size_t count = std::min(kTurn, queries.size() - begin);
      for (auto& items : retrieve_together(snapshot, space, queries.subspan(begin, count))) {
        results.push_back(std::move(items));
      }
    }
    return results;
  }

 private:
  std::vector<std::vector<Retrieved>> retrieve_together(
      const Snapshot& snapshot, uint32_t space, std::span<const RetrievalQuery> queries) const {
    const c10::InferenceMode inference;
    const uint32_t dimensions = snapshot.catalog().schema().spaces[space].dimensions;
    std::vector<Shortlist> shortlists;
    std::vector<double> query_norms;
    at::Tensor users = at::empty({static_cast<int64_t>(queries.size()), dimensions}, at::kFloat);
    for (size_t q = 0; q < queries.size(); ++q) {
      shortlists.emplace_back(queries[q].k);
      const float* vector = queries[q].vector.data();
      query_norms.push_back(std::sqrt(dot_product(vector, vector, dimensions)));
      // Of unit length, a query cannot make products that float32 does not hold.
      const double scale = query_norms[q] > 0 ? 1.0 / query_norms[q] : 0.0;
      for (uint32_t d = 0; d < dimensions; ++d) {
        users.data_ptr<float>()[q * dimensions + d] = static_cast<float>(vector[d] * scale);
      }
    }
    users = users.to(device_);
    for (const uint32_t c : newest_first(snapshot)) {
      if (!may_hold_more(snapshot.chunk(c), space, queries, query_norms, shortlists)) continue;
      scan(snapshot, c, space, dimensions, users, queries, query_norms, shortlists);
    }
    std::vector<std::vector<Retrieved>> results;
    for (size_t q = 0; q < queries.size(); ++q) {
      results.push_back(rescored(snapshot, space, queries[q], shortlists[q].finish()));
    }
    return results;
  }

  /// Chunks in order of their newest item: where decay matters, the best scores come first, and
  /// what remains can be left out soon.
  static std::vector<uint32_t> newest_first(const Snapshot& snapshot) {
    // Read once: a writer may raise them while they are being sorted.
    std::vector<int64_t> newest(snapshot.chunk_count());
    for (uint32_t c = 0; c < newest.size(); ++c) newest[c] = snapshot.chunk(c).newest();
    std::vector<uint32_t> order(newest.size());
    std::iota(order.begin(), order.end(), 0U);
    std::sort(order.begin(), order.end(), [&newest](uint32_t a, uint32_t b) {
      return newest[a] != newest[b] ? newest[a] > newest[b] : a < b;
    });
    return order;
  }

  /// No item of a chunk scores above ‖q‖ · max‖x‖ · exp(−age of its newest / τ).
  static bool may_hold_more(const Chunk& chunk, uint32_t space,
                            std::span<const RetrievalQuery> queries,
                            std::span<const double> query_norms,
                            std::span<const Shortlist> shortlists) {
    for (size_t q = 0; q < queries.size(); ++q) {
      const double weight = decay_weight(chunk.newest(), queries[q].now, queries[q].tau_ms);
      // A hair above 1 covers the rounding of the stored norms.
      constexpr double kRounding = 1.000001;
      const double most = query_norms[q] * chunk.largest_norm(space) * weight * kRounding;
      if (most >= shortlists[q].threshold()) return true;
    }
    return false;
  }

  /// Scores the visible rows of one chunk. Rows that are not visible may be in the hands of a
  /// writer, so they are never read: a chunk with gaps is gathered first.
  void scan(const Snapshot& snapshot, uint32_t chunk_index, uint32_t space, uint32_t dimensions,
            const at::Tensor& users, std::span<const RetrievalQuery> queries,
            std::span<const double> query_norms, std::span<Shortlist> shortlists) const {
    const Chunk& chunk = snapshot.chunk(chunk_index);
    const uint32_t first = chunk_index * Chunk::kRows;
    const uint32_t rows = std::min(Chunk::kRows, snapshot.row_count() - first);
    std::vector<uint32_t> offsets;
    offsets.reserve(rows);
    for (uint32_t i = 0; i < rows; ++i) {
      if (chunk.visible(i, snapshot.epoch()) && chunk.has_vector(space, i)) offsets.push_back(i);
    }
    if (offsets.empty()) return;
    const auto count = static_cast<int64_t>(offsets.size());
    at::Tensor items;
    if (offsets.size() == size_t{offsets.back()} - offsets.front() + 1) {
      items = at::from_blob(const_cast<float*>(chunk.vector(space, offsets.front())),
                            {count, dimensions}, at::kFloat);
    } else {
      items = at::empty({count, dimensions}, at::kFloat);
      float* out = items.data_ptr<float>();
      for (const uint32_t offset : offsets) {
        std::memcpy(out, chunk.vector(space, offset), dimensions * sizeof(float));
        out += dimensions;
      }
    }
    const at::Tensor dots = at::mm(users, items.to(device_).t()).cpu().contiguous();
    for (size_t q = 0; q < queries.size(); ++q) {
      const float* scores = dots.data_ptr<float>() + q * offsets.size();
      // |computed − true| ≤ (d + 3) · 2⁻²⁴ · ‖q‖ · ‖x‖ for any order of summation (Higham 2002),
      // with one unit for the scaling of q, and each product may lose what lies below the smallest
      // float32.
      const double unit = (dimensions + 3) * 0x1p-24;
      const NegativeDots negatives = queries[q].negatives;
      for (size_t i = 0; i < offsets.size(); ++i) {
        const double dot = query_norms[q] * scores[i];
        const double error =
            query_norms[q] * (unit * chunk.norm(space, offsets[i]) + dimensions * 0x1p-126);
        const double most = dot + error;
        const double threshold = shortlists[q].threshold();
        // Decay only lowers what is positive, so most items are settled without an exponential.
        if (threshold > 0 && most < threshold) continue;
        if (negatives == NegativeDots::kDrop && most < 0) continue;
        const double weight =
            decay_weight(chunk.publish_time[offsets[i]], queries[q].now, queries[q].tau_ms);
        const double high = decayed(most, weight, negatives);
        if (high < threshold) continue;
        shortlists[q].offer(first + offsets[i], decayed(dot - error, weight, negatives), high);
      }
    }
  }

  c10::Device device_;
};

}  // namespace

std::unique_ptr<Retriever> make_exact_retriever(const std::string& device) {
  if (device == "cpu") return std::make_unique<ExactRetriever>(c10::Device(c10::kCPU));
  return make_device_retriever(device);
}

}  // namespace feedrank
