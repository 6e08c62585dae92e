#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/item_id.h"
#include "node_api.h"

namespace feedrank::binding {

/// Reads one JavaScript object, field by field. The facade has validated what users gave; these
/// checks keep a mistake of the facade from being undefined behaviour. Each throws INVALID_ARGUMENT
/// naming the field.
class ObjectReader {
 public:
  ObjectReader(const Napi::Value& value, std::string path);

  bool has(const char* name) const;
  double number(const char* name) const;
  uint32_t count(const char* name) const;  // an integer in [0, 2^32 − 1)
  int64_t instant(const char* name) const;
  bool flag(const char* name) const;  // false where missing
  std::string text(const char* name) const;
  std::vector<std::string> texts(const char* name) const;
  std::vector<double> numbers(const char* name) const;    // of a Float64Array
  std::vector<float> floats(const char* name) const;      // of a Float32Array
  std::vector<int64_t> integers(const char* name) const;  // safe ones, of a Float64Array
  std::vector<ItemId> ids(const char* name) const;
  /// Texts that the facade has laid end to end, in place; valid while the caller keeps the object's
  /// `bytes` alive.
  std::vector<std::string_view> joined_texts(const char* name) const;
  Napi::Array array(const char* name) const;
  ObjectReader object(const char* name) const;
  Napi::Value value(const char* name) const;

  /// The elements of a typed array in place; valid while the caller keeps the array alive.
  std::span<const float> float_span(const char* name) const;
  std::span<const double> double_span(const char* name) const;
  std::span<const uint8_t> byte_span(const char* name) const;
  std::span<const uint32_t> uint32_span(const char* name) const;

  const std::string& path() const { return path_; }

 private:
  std::string field(const char* name) const { return path_ + "." + name; }
  template <typename Element>
  std::span<const Element> elements(const char* name, napi_typedarray_type type,
                                    const char* expected) const;

  Napi::Object object_;
  std::string path_;
};

/// Calls `visit(reader)` for each element of an array of objects.
template <typename Visit>
void for_each_object(const Napi::Array& array, const std::string& path, Visit&& visit) {
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const Napi::HandleScope scope(array.Env());
    visit(ObjectReader(array.Get(i), path + "[" + std::to_string(i) + "]"));
  }
}

ItemId to_item_id(const Napi::Value& value, const std::string& argument);
std::vector<ItemId> to_item_ids(const Napi::Value& value, const std::string& argument);
Napi::Value from_item_id(Napi::Env env, const ItemId& id);

/// Copies into a typed array that JavaScript owns.
Napi::Float64Array to_float64_array(Napi::Env env, std::span<const double> values);
Napi::Float32Array to_float32_array(Napi::Env env, std::span<const float> values);
Napi::Uint32Array to_uint32_array(Napi::Env env, std::span<const uint32_t> values);
Napi::Array to_string_array(Napi::Env env, std::span<const std::string> values);

}  // namespace feedrank::binding
