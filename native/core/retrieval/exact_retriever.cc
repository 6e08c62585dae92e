#include "retrieval/fused_retriever.h"
#include "retrieval/torch_retriever.h"

namespace feedrank {

std::unique_ptr<Retriever> make_exact_retriever(const std::string& device) {
  return device == "cpu" ? make_fused_retriever() : make_torch_retriever(device);
}

}  // namespace feedrank
