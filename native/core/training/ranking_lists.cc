#include "training/ranking_lists.h"

#include <cmath>
#include <string>

#include "error.h"

namespace feedrank {
namespace {

void require(bool holds, const std::string& argument, const std::string& message) {
  if (!holds) throw Error("INVALID_ARGUMENT", argument, argument + ": " + message);
}

}  // namespace

void RankingLists::append(const Batch& batch) {
  check(batch);
  size_t end = ends_.empty() ? 0 : ends_.back();
  for (const uint32_t length : batch.lengths) ends_.push_back(end += length);
  rows_.insert(rows_.end(), batch.rows.begin(), batch.rows.end());
  clicked_.insert(clicked_.end(), batch.clicked.begin(), batch.clicked.end());
  groups_.insert(groups_.end(), batch.groups.begin(), batch.groups.end());
  dwell_seconds_.insert(dwell_seconds_.end(), batch.dwell_seconds.begin(),
                        batch.dwell_seconds.end());
}

void RankingLists::check(const Batch& batch) const {
  size_t rows = 0;
  for (const uint32_t length : batch.lengths) rows += length;
  require(batch.rows.size() == rows * features_ && batch.clicked.size() == rows &&
              batch.groups.size() == rows && batch.dwell_seconds.size() == batch.lengths.size(),
          "lists", "expected columns that fit together");
  size_t row = 0;
  for (size_t list = 0; list < batch.lengths.size(); ++list) {
    uint32_t clicks = 0;
    for (uint32_t i = 0; i < batch.lengths[list]; ++i) clicks += batch.clicked[row++] != 0 ? 1 : 0;
    require(clicks > 0 && clicks < batch.lengths[list], "lists[" + std::to_string(list) + "]",
            "expected a clicked and an unclicked item, got " + std::to_string(clicks) +
                " clicked of " + std::to_string(batch.lengths[list]));
  }
  for (size_t i = 0; i < batch.rows.size(); ++i) {
    require(std::isfinite(batch.rows[i]), "features[" + std::to_string(i % features_) + "]",
            "expected finite values, got NaN or infinity in row " + std::to_string(i / features_));
  }
}

}  // namespace feedrank
