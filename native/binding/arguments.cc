#include "arguments.h"

#include <algorithm>
#include <cmath>

#include "error.h"

namespace feedrank::binding {
namespace {

constexpr double kMaxSafeInteger = 9007199254740991.0;

[[noreturn]] void refuse(const std::string& argument, const std::string& expected) {
  throw Error("INVALID_ARGUMENT", argument, argument + ": expected " + expected);
}

}  // namespace

ObjectReader::ObjectReader(const Napi::Value& value, std::string path) : path_(std::move(path)) {
  if (!value.IsObject()) refuse(path_, "an object");
  object_ = value.As<Napi::Object>();
}

bool ObjectReader::has(const char* name) const { return !object_.Get(name).IsUndefined(); }

Napi::Value ObjectReader::value(const char* name) const { return object_.Get(name); }

double ObjectReader::number(const char* name) const {
  const Napi::Value found = object_.Get(name);
  if (!found.IsNumber()) refuse(field(name), "a number");
  const double number = found.As<Napi::Number>().DoubleValue();
  if (std::isnan(number)) refuse(field(name), "a number, got NaN");
  return number;
}

uint32_t ObjectReader::count(const char* name) const {
  const double found = number(name);
  if (!(found >= 0 && found < UINT32_MAX) || found != std::floor(found)) {
    refuse(field(name), "an integer in [0, 2^32 - 1)");
  }
  return static_cast<uint32_t>(found);
}

int64_t ObjectReader::instant(const char* name) const {
  const double found = number(name);
  if (!(std::abs(found) <= kMaxSafeInteger)) refuse(field(name), "epoch milliseconds");
  return static_cast<int64_t>(found);
}

bool ObjectReader::flag(const char* name) const {
  const Napi::Value found = object_.Get(name);
  return found.IsBoolean() && found.As<Napi::Boolean>().Value();
}

std::string ObjectReader::text(const char* name) const {
  const Napi::Value found = object_.Get(name);
  if (!found.IsString()) refuse(field(name), "a string");
  return found.As<Napi::String>().Utf8Value();
}

Napi::Array ObjectReader::array(const char* name) const {
  const Napi::Value found = object_.Get(name);
  if (!found.IsArray()) refuse(field(name), "an array");
  return found.As<Napi::Array>();
}

ObjectReader ObjectReader::object(const char* name) const {
  return ObjectReader(object_.Get(name), field(name));
}

std::vector<std::string> ObjectReader::texts(const char* name) const {
  const Napi::Array found = array(name);
  std::vector<std::string> texts;
  texts.reserve(found.Length());
  for (uint32_t i = 0; i < found.Length(); ++i) {
    const Napi::HandleScope scope(found.Env());
    const Napi::Value element = found.Get(i);
    if (!element.IsString()) refuse(field(name), "an array of strings");
    texts.push_back(element.As<Napi::String>().Utf8Value());
  }
  return texts;
}

template <typename Element>
std::span<const Element> ObjectReader::elements(const char* name, napi_typedarray_type type,
                                                const char* expected) const {
  const Napi::Value found = object_.Get(name);
  if (!found.IsTypedArray() || found.As<Napi::TypedArray>().TypedArrayType() != type) {
    refuse(field(name), expected);
  }
  const auto typed = found.As<Napi::TypedArrayOf<Element>>();
  // A detached buffer has length 0 and no data; the caller's own check of lengths refuses it.
  return {typed.Data(), typed.ElementLength()};
}

std::span<const float> ObjectReader::float_span(const char* name) const {
  return elements<float>(name, napi_float32_array, "a Float32Array");
}
std::span<const double> ObjectReader::double_span(const char* name) const {
  return elements<double>(name, napi_float64_array, "a Float64Array");
}
std::span<const uint8_t> ObjectReader::byte_span(const char* name) const {
  return elements<uint8_t>(name, napi_uint8_array, "a Uint8Array");
}
std::span<const uint32_t> ObjectReader::uint32_span(const char* name) const {
  return elements<uint32_t>(name, napi_uint32_array, "a Uint32Array");
}

std::vector<double> ObjectReader::numbers(const char* name) const {
  const auto found = double_span(name);
  return {found.begin(), found.end()};
}

std::vector<float> ObjectReader::floats(const char* name) const {
  const auto found = float_span(name);
  return {found.begin(), found.end()};
}

std::vector<int64_t> ObjectReader::integers(const char* name) const {
  const auto found = double_span(name);
  std::vector<int64_t> integers;
  integers.reserve(found.size());
  for (const double number : found) {
    if (!(std::abs(number) <= kMaxSafeInteger)) refuse(field(name), "safe integers");
    integers.push_back(static_cast<int64_t>(number));
  }
  return integers;
}

std::vector<ItemId> ObjectReader::ids(const char* name) const {
  return to_item_ids(object_.Get(name), field(name));
}

std::vector<std::string_view> ObjectReader::joined_texts(const char* name) const {
  const ObjectReader joined = object(name);
  const auto bytes = joined.byte_span("bytes");
  const auto ends = joined.uint32_span("ends");
  const auto* characters = reinterpret_cast<const char*>(bytes.data());
  std::vector<std::string_view> texts;
  texts.reserve(ends.size());
  uint32_t begin = 0;
  for (const uint32_t end : ends) {
    if (end < begin || end > bytes.size()) refuse(joined.field("ends"), "rising ends of texts");
    texts.emplace_back(characters + begin, end - begin);
    begin = end;
  }
  return texts;
}

ItemId to_item_id(const Napi::Value& value, const std::string& argument) {
  if (value.IsString()) return value.As<Napi::String>().Utf8Value();
  if (value.IsNumber()) {
    const double number = value.As<Napi::Number>().DoubleValue();
    if (std::abs(number) <= kMaxSafeInteger && number == std::floor(number)) {
      return static_cast<int64_t>(number);
    }
  }
  refuse(argument, "ids that are strings or safe integers");
}

std::vector<ItemId> to_item_ids(const Napi::Value& value, const std::string& argument) {
  if (!value.IsArray()) refuse(argument, "an array of ids");
  const auto array = value.As<Napi::Array>();
  std::vector<ItemId> ids;
  ids.reserve(array.Length());
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const Napi::HandleScope scope(array.Env());
    ids.push_back(to_item_id(array.Get(i), argument));
  }
  return ids;
}

Napi::Value from_item_id(Napi::Env env, const ItemId& id) {
  if (const auto* integer = std::get_if<int64_t>(&id)) {
    return Napi::Number::New(env, static_cast<double>(*integer));
  }
  return Napi::String::New(env, std::get<std::string>(id));
}

Napi::Float64Array to_float64_array(Napi::Env env, std::span<const double> values) {
  auto array = Napi::Float64Array::New(env, values.size());
  std::copy(values.begin(), values.end(), array.Data());
  return array;
}

Napi::Float32Array to_float32_array(Napi::Env env, std::span<const float> values) {
  auto array = Napi::Float32Array::New(env, values.size());
  std::copy(values.begin(), values.end(), array.Data());
  return array;
}

Napi::Uint32Array to_uint32_array(Napi::Env env, std::span<const uint32_t> values) {
  auto array = Napi::Uint32Array::New(env, values.size());
  std::copy(values.begin(), values.end(), array.Data());
  return array;
}

Napi::Array to_string_array(Napi::Env env, std::span<const std::string> values) {
  auto array = Napi::Array::New(env, values.size());
  for (uint32_t i = 0; i < values.size(); ++i) array.Set(i, Napi::String::New(env, values[i]));
  return array;
}

}  // namespace feedrank::binding
