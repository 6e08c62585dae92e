#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <variant>

namespace feedrank {

/// A catalog fixes one kind of id; `1` and `'1'` never mix.
enum class IdKind : uint8_t { kInteger, kString };

/// An id as the user gave it. Strings are well-formed UTF-8, integers lie within ±(2^53 − 1).
using ItemId = std::variant<int64_t, std::string>;

/// Users are named as items are, but both kinds may be used side by side.
using UserId = ItemId;

/// An id whose characters are held elsewhere.
using ItemIdView = std::variant<int64_t, std::string_view>;

inline ItemIdView view_of(const ItemId& id) {
  if (const auto* integer = std::get_if<int64_t>(&id)) return *integer;
  return std::string_view(std::get<std::string>(id));
}

inline ItemId owned(const ItemIdView& id) {
  if (const auto* integer = std::get_if<int64_t>(&id)) return *integer;
  return std::string(std::get<std::string_view>(id));
}

/// Copies an id to where another was, in the memory that is there where it is enough.
inline void assign(ItemId& to, const ItemIdView& from) {
  if (const auto* integer = std::get_if<int64_t>(&from)) {
    to = *integer;
  } else if (auto* text = std::get_if<std::string>(&to)) {
    text->assign(std::get<std::string_view>(from));
  } else {
    to.emplace<std::string>(std::get<std::string_view>(from));
  }
}

inline IdKind kind_of(const ItemIdView& id) {
  return std::holds_alternative<int64_t>(id) ? IdKind::kInteger : IdKind::kString;
}
inline IdKind kind_of(const ItemId& id) { return kind_of(view_of(id)); }

struct ItemIdHash {
  size_t operator()(const ItemId& id) const noexcept { return (*this)(view_of(id)); }
  size_t operator()(const ItemIdView& id) const noexcept {
    // Integers are often sequential, so their bits are mixed before they choose a bucket.
    if (const auto* integer = std::get_if<int64_t>(&id)) {
      uint64_t x = static_cast<uint64_t>(*integer) + 0x9e3779b97f4a7c15ULL;
      x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
      x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
      return static_cast<size_t>(x ^ (x >> 31));
    }
    return std::hash<std::string_view>{}(std::get<std::string_view>(id));
  }
};

/// For messages: integers as digits, strings in quotes, cut so that a message stays one line.
std::string describe(const ItemId& id);

}  // namespace feedrank
