#pragma once

#include "node_api.h"
#include "slate/request.h"

namespace feedrank::binding {

/// What a request answers after a run: the finished slate, or the candidates for the external stage
/// that it waits for. The facade's `NativeAnswer` type describes both.
Napi::Value encode_answer(Napi::Env env, const Request& request, Request::State state);

}  // namespace feedrank::binding
