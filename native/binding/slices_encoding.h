#pragma once

#include <cstdint>

#include "features/engagement.h"
#include "node_api.h"

namespace feedrank::binding {

/// The monitor's reading as of `now`, for the facade: per segmentation and per label the values and
/// their figures in columns.
Napi::Value encode_slices(Napi::Env env, const Engagement& engagement, int64_t now);

}  // namespace feedrank::binding
