#include "slate/condition.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "catalog/catalog.h"

namespace feedrank {
namespace {

bool meets(const Condition& condition, const Chunk& chunk, uint32_t offset) {
  // Plans are checked when they are made; what slipped through becomes an exception, which a stage
  // that fails closed must not miss.
  switch (condition.of) {
    case Condition::Of::kColumn: {
      if (condition.index >= chunk.column_count()) throw std::out_of_range("no such column");
      const double value = chunk.columns(offset)[condition.index];
      if (std::isnan(value)) return condition.missing_meets;
      return value >= condition.at_least && value <= condition.at_most && value != condition.is_not;
    }
    case Condition::Of::kLabel:
      return condition.names.contains(chunk.labels.at(condition.index)[offset]) ==
             condition.is_one_of;
    case Condition::Of::kAuthor:
      return condition.names.contains(chunk.author[offset]) == condition.is_one_of;
    case Condition::Of::kTopics:
      return condition.names.contains_any(chunk.topics[offset]) == condition.is_one_of;
  }
  return false;
}

}  // namespace

std::vector<uint8_t> meet_all(const Snapshot& snapshot, std::span<const Condition> conditions,
                              std::span<const Row> rows) {
  std::vector<uint8_t> keep(rows.size(), 1);
  for (size_t i = 0; i < rows.size(); ++i) {
    const Chunk& chunk = snapshot.chunk_of(rows[i]);
    const uint32_t offset = Snapshot::offset_of(rows[i]);
    keep[i] = std::all_of(conditions.begin(), conditions.end(), [&](const Condition& condition) {
      return meets(condition, chunk, offset);
    });
  }
  return keep;
}

}  // namespace feedrank
