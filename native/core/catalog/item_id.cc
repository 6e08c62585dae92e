#include "catalog/item_id.h"

namespace feedrank {

std::string describe(const ItemId& id) {
  if (const auto* integer = std::get_if<int64_t>(&id)) return std::to_string(*integer);
  constexpr size_t kShown = 40;
  const std::string& text = std::get<std::string>(id);
  std::string shown = "'";
  for (size_t i = 0; i < text.size() && i < kShown; ++i) {
    // A control character in an id must not be able to forge a line in somebody's log.
    shown += static_cast<unsigned char>(text[i]) < 0x20 ? '?' : text[i];
  }
  return shown + (text.size() > kShown ? "…'" : "'");
}

}  // namespace feedrank
