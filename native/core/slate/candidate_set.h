#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "catalog/chunk.h"
#include "slate/candidate_history.h"

namespace feedrank {

/// The items under consideration for one query, a struct of arrays. Features and scores come after
/// the filters, so only the first group is ever thinned out.
struct CandidateSet {
  static constexpr double kNotASource = std::numeric_limits<double>::quiet_NaN();

  uint32_t generators = 0;
  std::vector<Row> rows;
  std::vector<double> source_scores;  // [candidate][generator]; kNotASource where it was not found

  uint32_t feature_count = 0;
  std::vector<float> features;  // [candidate][feature]

  std::vector<double> scores;
  std::vector<std::string> term_names;
  std::vector<double> terms;  // [candidate][term]

  std::optional<CandidateHistory> history;  // where the query asks for explanations

  size_t size() const { return rows.size(); }

  void append(Row row) {
    rows.push_back(row);
    source_scores.insert(source_scores.end(), generators, kNotASource);
    if (history) history->append();
  }

  /// `position` is the candidate's place in the generator's own list.
  void set_source(size_t candidate, uint32_t generator, double score, size_t position) {
    source_scores[candidate * generators + generator] = score;
    if (history) history->set_source(candidate, generator, static_cast<uint32_t>(position));
  }

  /// Keeps the first `count` candidates.
  void keep_first(size_t count) {
    std::vector<uint8_t> keep(size(), 0);
    std::fill_n(keep.begin(), std::min(count, keep.size()), uint8_t{1});
    keep_only(keep);
  }

  /// Keeps candidate i where keep[i] is not 0.
  void keep_only(std::span<const uint8_t> keep) {
    size_t out = 0;
    for (size_t i = 0; i < rows.size(); ++i) {
      if (keep[i] == 0) continue;
      rows[out] = rows[i];
      for (uint32_t g = 0; g < generators; ++g) {
        source_scores[out * generators + g] = source_scores[i * generators + g];
      }
      ++out;
    }
    rows.resize(out);
    source_scores.resize(out * generators);
    if (history) history->keep_only(keep);
  }
};

}  // namespace feedrank
