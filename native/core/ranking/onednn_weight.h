#pragma once

#include <torch/script.h>

namespace feedrank {

/// A dense weight [outputs, inputs] in the layout that oneDNN's linear operator reads. Throws what
/// LibTorch throws where oneDNN does not multiply numbers of that type on this processor.
at::Tensor onednn_weight(const at::Tensor& weight);

}  // namespace feedrank
