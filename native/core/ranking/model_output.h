#pragma once

#include <torch/script.h>

#include <string>
#include <vector>

namespace feedrank {

/// Throws MODEL_SHAPE: the model answers with something that is no scores of rows.
[[noreturn]] void refuse_output(const std::string& got);

/// Names the heads of a model that answered `rows` rows with a tensor, where nobody has named them.
/// Throws MODEL_SHAPE where there are others than `heads` names, or the tensor is not [n] or
/// [n, heads].
void name_heads(const at::Tensor& answer, int64_t rows, std::vector<std::string>& heads);

/// [n] or [n, heads] of any type as contiguous float32 [n, heads]. Throws MODEL_SHAPE.
at::Tensor to_scores(const at::Tensor& answer, int64_t rows, size_t heads);

}  // namespace feedrank
