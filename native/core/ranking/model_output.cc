#include "ranking/model_output.h"

#include <sstream>

#include "error.h"

namespace feedrank {

void refuse_output(const std::string& got) {
  throw Error("MODEL_SHAPE", "model",
              "model: expected forward to return a tensor [n], [n, heads] or a dictionary of "
              "tensors [n], got " +
                  got);
}

void name_heads(const at::Tensor& answer, int64_t rows, std::vector<std::string>& heads) {
  const int64_t count = answer.dim() == 1 ? 1 : answer.dim() == 2 ? answer.size(1) : -1;
  if (count < 1 || answer.size(0) != rows) {
    std::ostringstream shape;
    shape << "shape " << answer.sizes() << " for "
          << (rows == 1 ? "one row" : std::to_string(rows) + " rows");
    refuse_output(shape.str());
  }
  if (heads.empty()) {
    if (count == 1) heads = {"score"};
    for (int64_t h = 0; count > 1 && h < count; ++h) heads.push_back("head" + std::to_string(h));
  }
  if (heads.size() != static_cast<size_t>(count)) {
    refuse_output(std::to_string(count) + " heads where its description names " +
                  std::to_string(heads.size()));
  }
}

at::Tensor to_scores(const at::Tensor& answer, int64_t rows, size_t heads) {
  at::Tensor scores = answer.to(at::kFloat);
  if (scores.dim() == 1) scores = scores.unsqueeze(1);
  if (scores.dim() != 2 || scores.size(0) != rows ||
      scores.size(1) != static_cast<int64_t>(heads)) {
    refuse_output("another shape than when it was loaded");
  }
  return scores.contiguous();
}

}  // namespace feedrank
