#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "catalog/item_id.h"

namespace feedrank {

/// What an external stage answered. Positions refer to the candidates as they were handed out.
struct GeneratedItems {
  struct Source {
    uint32_t generator = 0;
    std::vector<ItemId> ids;     // best first
    std::vector<double> scores;  // finite; one an id
    std::string skipped;
    double ms = 0;
  };
  std::vector<Source> sources;
};

struct KeptCandidates {
  std::vector<uint8_t> keep;
  std::string skipped;
  double ms = 0;
};

struct EnrichedFeatures {
  struct Source {
    std::vector<float> values;  // candidates × the enricher's features, row-major; finite
    std::string skipped;
    double ms = 0;
  };
  std::vector<Source> sources;  // one an external enricher of the plan
};

struct RankedScores {
  std::vector<double> scores;  // finite
  std::vector<std::string> term_names;
  std::vector<double> terms;  // candidates × terms
  std::string skipped;
  double ms = 0;
};

struct SelectedOrder {
  std::vector<uint32_t> positions;  // distinct
  std::string skipped;
  double ms = 0;
};

using ExternalResult = std::variant<std::monostate, GeneratedItems, KeptCandidates,
                                    EnrichedFeatures, RankedScores, SelectedOrder>;

}  // namespace feedrank
