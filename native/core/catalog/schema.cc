#include "catalog/schema.h"

#include "error.h"

namespace feedrank {
namespace {

template <typename Names>
std::string joined(const Names& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return text.empty() ? "none" : text;
}

}  // namespace

uint32_t CatalogSchema::space_index(const std::string& name, const std::string& argument) const {
  std::vector<std::string> names;
  for (uint32_t i = 0; i < spaces.size(); ++i) {
    if (spaces[i].name == name) return i;
    names.push_back(spaces[i].name);
  }
  throw Error("UNKNOWN_SPACE", argument,
              argument + ": no embedding space '" + name + "'; the catalog has: " + joined(names));
}

uint32_t CatalogSchema::column_index(const std::string& name, const std::string& argument) const {
  for (uint32_t i = 0; i < columns.size(); ++i) {
    if (columns[i] == name) return i;
  }
  throw Error("UNKNOWN_COLUMN", argument,
              argument + ": no column '" + name + "'; the catalog has: " + joined(columns));
}

}  // namespace feedrank
