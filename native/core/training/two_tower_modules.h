#pragma once

#include <torch/script.h>

#include <random>

#include "training/two_tower_data.h"

namespace feedrank {

/// Two TorchScript modules, each the one definition of its forward pass: they are trained, saved
/// and served as they are.
///
/// `item`: forward(ids int64 [n], attributes float32 [n, a], categories int64 [n, c]) → float32
/// [n, d]. Id 0 stands for an id that nobody knows, category 0 for none, NaN for a missing
/// attribute.
///
/// `user`: forward(reads float32 [n, r, d], hours float32 [n, r], present float32 [n, r], context
/// float32 [n, k]) → float32 [n, d]. Reads are weighed by what they are and by how long ago they
/// were (attention pooling); `present` is 0 for what only fills up, and a learnt vector stands
/// beside the reads, alone where there are none. NaN is a missing number.
struct TwoTowerModules {
  torch::jit::Module item;
  torch::jit::Module user;
};

TwoTowerModules make_two_towers(const TwoTowerOptions& options, const ColumnScaling& attributes,
                                const ColumnScaling& context, std::mt19937_64& random);

}  // namespace feedrank
