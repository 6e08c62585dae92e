#pragma once

#include <memory>
#include <string>

#include "retrieval/retriever.h"

namespace feedrank {

/// The exact retriever on a LibTorch device that keeps the items resident: float16 products of all
/// rows with all queries at once, whose error is bounded, choose what is scored anew in double
/// precision. Answers are those of the retriever on the CPU. Costs a pass over 2 · dimensions bytes
/// an item a call, whatever the number of queries.
///
/// `device` as LibTorch names it, such as "cuda" or, for tests, "cpu". Throws DEVICE_UNAVAILABLE
/// where there is none of that name.
std::unique_ptr<Retriever> make_device_retriever(const std::string& device);

}  // namespace feedrank
