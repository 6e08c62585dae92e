#include "ranking/onednn_weight.h"

#include <optional>

namespace feedrank {

at::Tensor onednn_weight(const at::Tensor& weight) {
  static const auto reorder = c10::Dispatcher::singleton()
                                  .findSchemaOrThrow("mkldnn::_reorder_linear_weight", "")
                                  .typed<at::Tensor(const at::Tensor&, std::optional<int64_t>)>();
  // What oneDNN is told to expect; the layout serves any number of rows.
  constexpr int64_t kExpectedRows = 256;
  return reorder.call(weight.contiguous(), kExpectedRows);
}

}  // namespace feedrank
