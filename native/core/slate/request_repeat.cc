#include <algorithm>
#include <numeric>

#include "catalog/catalog.h"
#include "error.h"
#include "slate/request.h"

// How an earlier answer is given again.

namespace feedrank {

bool Request::repeats(std::span<const ItemId> ids, std::span<const double> scores) {
  snapshot_ = engagement_->catalog()->pin();
  candidates_.rows = engagement_->catalog()->resolve(*snapshot_, ids);
  const std::vector<Row>& rows = candidates_.rows;
  if (std::find(rows.begin(), rows.end(), kNoRow) != rows.end()) return false;
  for (const FilterStage& stage : plan_->filters) {
    try {
      const std::vector<uint8_t> kept = kept_by(stage);
      if (std::find(kept.begin(), kept.end(), uint8_t{0}) != kept.end()) return false;
    } catch (const std::exception&) {
      // What becomes of the failure is for a request to say that runs.
      return false;
    }
  }
  candidates_.scores.assign(scores.begin(), scores.end());
  ranked_ = scores.size() == rows.size();
  order_.resize(rows.size());
  std::iota(order_.begin(), order_.end(), 0U);
  watch_slate();
  return true;
}

}  // namespace feedrank
