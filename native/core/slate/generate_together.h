#pragma once

#include <memory>
#include <span>

#include "runtime/executor.h"
#include "slate/request.h"

namespace feedrank {

/// Runs the decayed-dot generators of several requests of one plan, none of which has been run: one
/// state of the catalog is pinned for all of them, and each space is scanned once. Every request
/// then goes on by itself, with the answers that it would have found alone. Whatever fails here is
/// left for each to run into by itself.
void generate_together(std::span<const std::shared_ptr<Request>> requests, Executor& executor);

}  // namespace feedrank
