#pragma once

// The one place that includes N-API, so that its settings cannot differ between files.
#include <napi.h>
