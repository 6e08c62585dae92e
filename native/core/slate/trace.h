#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace feedrank {

/// What one stage did for one request.
struct StageTrace {
  std::string name;
  std::string kind;     // encoder, generator, merge, filter, enricher, ranker, selector
  double ms = 0;        // of the stage itself; external stages are timed by the facade
  uint32_t in = 0;      // candidates before
  uint32_t out = 0;     // candidates after
  std::string skipped;  // why the stage did not take part; empty where it did
  std::vector<std::string> shortfalls;  // what it did not do in full although it took part
  std::vector<std::string> notes;       // what else there is to say, such as a target not met
};

/// What a request's budget was spent on.
struct BudgetTrace {
  double quality = 1;         // the quality factor when the request began
  uint32_t waiting = 0;       // jobs that waited for a thread when it began
  uint32_t kept = 0;          // most candidates that were to be kept after merging
  std::string tier = "full";  // what ranked: full, smaller, decayed-dot or merged-order
  uint32_t ranked = 0;        // candidates that it ranked
  double predicted_ms = 0;    // expected from submission to answer, when the tier was chosen
};

struct Trace {
  double queue_ms = 0;  // waiting for a thread
  double native_ms = 0;
  uint32_t unknown_ids = 0;        // ids of a list or of an external generator that are not items
  uint32_t removed_meanwhile = 0;  // items that left the catalog while the request ran
  std::vector<StageTrace> stages;
  BudgetTrace budget;
};

}  // namespace feedrank
