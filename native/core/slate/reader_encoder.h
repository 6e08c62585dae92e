#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "features/feature_assembler.h"
#include "ranking/user_tower.h"

namespace feedrank {

/// How a reader is turned into a vector of a space when a query brings none. Moves click-through
/// where interests carry from item to item; costs some tens of microseconds a request.
struct ReaderEncoder {
  std::string name;
  uint32_t space = 0;
  std::shared_ptr<UserTower> tower;
  std::vector<uint32_t> context;  // which of a query's context values the tower reads, in its order
};

/// The tower's vector for the reader, the page and the context of these inputs: from the vectors of
/// the reader's last reads in the space. Throws MODEL_SHAPE or MODEL_OUTPUT.
UserVectors encode_reader(const ReaderEncoder& encoder, const FeatureAssembler::Inputs& inputs);

}  // namespace feedrank
