#pragma once

#include "node_api.h"

namespace feedrank::binding {

/// Constructors that native code itself calls, one set an environment.
struct ClassReferences {
  Napi::FunctionReference model;
  Napi::FunctionReference request;
  Napi::FunctionReference ranker_trainer;
  Napi::FunctionReference user_tower;
  Napi::FunctionReference item_tower;
};

}  // namespace feedrank::binding
