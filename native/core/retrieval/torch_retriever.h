#pragma once

#include <memory>
#include <string>

#include "retrieval/retriever.h"

namespace feedrank {

/// The exact retriever on LibTorch tensors: what serves a CUDA device. `device` is "cpu" or "cuda";
/// throws DEVICE_UNAVAILABLE where there is none of that name.
std::unique_ptr<Retriever> make_torch_retriever(const std::string& device);

}  // namespace feedrank
