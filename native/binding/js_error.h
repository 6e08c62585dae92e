#pragma once

#include <exception>

#include "node_api.h"

namespace feedrank::binding {

/// A JavaScript Error with `code` and `argument`, from whatever the core threw. The facade turns it
/// into a FeedrankError.
Napi::Value to_js_error(Napi::Env env, std::exception_ptr error);

/// Runs `body` and throws what it throws as a JavaScript exception.
template <typename Body>
Napi::Value guarded(Napi::Env env, Body&& body) {
  try {
    return body();
  } catch (const Napi::Error&) {
    throw;
  } catch (...) {
    throw Napi::Error(env, to_js_error(env, std::current_exception()));
  }
}

}  // namespace feedrank::binding
