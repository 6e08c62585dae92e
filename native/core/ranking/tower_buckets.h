#pragma once

#include <cstdint>
#include <string_view>

#include "catalog/item_id.h"

namespace feedrank {

/// The bucket of a hashed embedding that an id or a name has, from 1 to `buckets` − 1; 0 stands for
/// none. FNV-1a (Fowler, Noll and Vo 1991) over the bytes, an integer's as its decimal digits
/// behind a mark of its kind, finished by the mixing of MurmurHash3 (Appleby 2011), because the low
/// bits of FNV-1a alone spread badly. A file that was trained depends on it: it may never change.
inline uint32_t tower_bucket(const ItemId& id, uint32_t buckets) {
  uint64_t hash = 0xcbf29ce484222325ULL;
  const auto add = [&hash](std::string_view bytes) {
    for (const char byte : bytes) {
      hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3ULL;
    }
  };
  if (const auto* integer = std::get_if<int64_t>(&id)) {
    add("i:");
    add(std::to_string(*integer));
  } else {
    add("s:");
    add(std::get<std::string>(id));
  }
  hash = (hash ^ (hash >> 33U)) * 0xff51afd7ed558ccdULL;
  hash = (hash ^ (hash >> 33U)) * 0xc4ceb9fe1a85ec53ULL;
  hash ^= hash >> 33U;
  return 1 + static_cast<uint32_t>(hash % (buckets - 1));
}

}  // namespace feedrank
