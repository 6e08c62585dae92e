#pragma once

#include <memory>
#include <string>

#include "error.h"
#include "node_api.h"

namespace feedrank::binding {

/// A wrapped object of class T, or INVALID_ARGUMENT: type tags tell our objects from others'.
template <typename T>
T& unwrap(const Napi::Value& value, const std::string& argument) {
  if (value.IsObject() && value.As<Napi::Object>().CheckTypeTag(&T::kTypeTag)) {
    return *T::Unwrap(value.As<Napi::Object>());
  }
  throw Error("INVALID_ARGUMENT", argument, argument + ": expected " + T::kDescription);
}

/// What a wrapped object holds, or DISPOSED where it has been released.
template <typename T>
const std::shared_ptr<T>& held(const std::shared_ptr<T>& object, const std::string& argument) {
  if (object != nullptr) return object;
  throw Error("DISPOSED", argument, argument + ": it has been disposed of");
}

}  // namespace feedrank::binding
