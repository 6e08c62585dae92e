#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <variant>

namespace feedrank {

/// A catalog fixes one kind of id; `1` and `'1'` never mix.
enum class IdKind : uint8_t { kInteger, kString };

/// An id as the user gave it. Strings are well-formed UTF-8, integers lie within ±(2^53 − 1).
using ItemId = std::variant<int64_t, std::string>;

/// Users are named as items are, but both kinds may be used side by side.
using UserId = ItemId;

inline IdKind kind_of(const ItemId& id) {
  return std::holds_alternative<int64_t>(id) ? IdKind::kInteger : IdKind::kString;
}

struct ItemIdHash {
  size_t operator()(const ItemId& id) const noexcept {
    // Integers are often sequential, so their bits are mixed before they choose a bucket.
    if (const auto* integer = std::get_if<int64_t>(&id)) {
      uint64_t x = static_cast<uint64_t>(*integer) + 0x9e3779b97f4a7c15ULL;
      x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
      x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
      return static_cast<size_t>(x ^ (x >> 31));
    }
    return std::hash<std::string>{}(std::get<std::string>(id));
  }
};

/// For messages: integers as digits, strings in quotes, cut so that a message stays one line.
std::string describe(const ItemId& id);

}  // namespace feedrank
