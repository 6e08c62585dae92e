#include "ranking/frozen_module.h"

#include <torch/csrc/jit/ir/ir.h>

namespace feedrank {
namespace {

/// Makes each node that came from another method tell of forward itself, which lives as long.
void own_call_stacks(torch::jit::Block* block, torch::jit::Function* forward) {
  for (torch::jit::Node* node : block->nodes()) {
    if (node->callstack()) {
      node->setCallStack(
          c10::make_intrusive<torch::jit::InlinedCallStack>(forward, node->sourceRange()));
    }
    for (torch::jit::Block* inner : node->blocks()) own_call_stacks(inner, forward);
  }
}

}  // namespace

torch::jit::Module frozen_module(const torch::jit::Module& module) {
  torch::jit::Module frozen = torch::jit::freeze(module);
  const torch::jit::Method forward = frozen.get_method("forward");
  own_call_stacks(forward.graph()->block(), &forward.function());
  return frozen;
}

}  // namespace feedrank
