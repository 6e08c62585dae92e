#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "catalog/snapshot.h"
#include "slate/code_set.h"

namespace feedrank {

/// What an item must meet in one of its columns, labels, author or topics.
struct Condition {
  enum class Of : uint8_t { kColumn, kLabel, kAuthor, kTopics };
  Of of = Of::kColumn;
  uint32_t index = 0;  // kColumn, kLabel

  // kColumn: bounds, both included, and the one value that is not met; NaN for none.
  double at_least = -std::numeric_limits<double>::infinity();
  double at_most = std::numeric_limits<double>::infinity();
  double is_not = std::numeric_limits<double>::quiet_NaN();
  bool missing_meets = false;

  // The others: whether the item's name is one of these, or is none of them. Of topics, whether any
  // one of them is. An item without a name has none of them.
  CodeSet names{};
  bool is_one_of = true;
};

/// One entry a row: 1 where the item meets all of the conditions.
std::vector<uint8_t> meet_all(const Snapshot& snapshot, std::span<const Condition> conditions,
                              std::span<const Row> rows);

}  // namespace feedrank
