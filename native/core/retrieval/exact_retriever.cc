#include "retrieval/device_retriever.h"
#include "retrieval/fused_retriever.h"

namespace feedrank {

std::unique_ptr<Retriever> make_exact_retriever(const std::string& device) {
  return device == "cpu" ? make_fused_retriever() : make_device_retriever(device);
}

}  // namespace feedrank
