#pragma once

#include <torch/script.h>

namespace feedrank {

/// torch::jit::freeze, whose result may also fail. Freezing puts the methods that forward calls
/// into it and destroys them; where a pass fails within one, LibTorch would follow a pointer to it
/// in order to say where. Clones of the result must not outlive it.
torch::jit::Module frozen_module(const torch::jit::Module& module);

}  // namespace feedrank
