#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "catalog/item_columns.h"
#include "catalog/item_id.h"

namespace feedrank {

/// One named embedding space: float32 vectors of one length, under one version. Vectors of
/// different versions are never compared with one another.
struct SpaceSchema {
  std::string name;
  uint32_t dimensions = 0;
  std::string version;
  bool approximate = false;  // whether the items are to be kept in inverted lists, too
};

/// What a catalog's rows hold, fixed when it is created.
struct CatalogSchema {
  IdKind id_kind = IdKind::kString;
  std::vector<SpaceSchema> spaces;
  std::vector<std::string> columns;
  std::vector<std::string> labels;
  ColumnPrecision column_precision = ColumnPrecision::kFloat64;

  /// Whether any space is to have inverted lists.
  bool any_approximate() const {
    return std::any_of(spaces.begin(), spaces.end(),
                       [](const SpaceSchema& space) { return space.approximate; });
  }

  /// Each throws UNKNOWN_SPACE, UNKNOWN_COLUMN or UNKNOWN_LABEL, naming what there is.
  uint32_t space_index(const std::string& name, const std::string& argument) const;
  uint32_t column_index(const std::string& name, const std::string& argument) const;
};

}  // namespace feedrank
