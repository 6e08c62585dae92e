#include "training/two_tower_modules.h"

#include <cmath>
#include <string>

namespace feedrank {
namespace {

at::Tensor buffer_of(const std::vector<float>& values) {
  return at::from_blob(const_cast<float*>(values.data()), {static_cast<int64_t>(values.size())},
                       at::kFloat)
      .clone();
}

class ModuleMaker {
 public:
  ModuleMaker(const char* name, std::mt19937_64& random) : module_(name), random_(random) {}

  /// Weights and bias of a linear layer, uniform within sqrt(6 / (in + out)) (Glorot and Bengio
  /// 2010); used in a body as `linear(x, NAME)`.
  void linear(const std::string& name, int64_t inputs, int64_t outputs) {
    at::Tensor weight = at::empty({outputs, inputs}, at::kFloat);
    const double bound = std::sqrt(6.0 / static_cast<double>(inputs + outputs));
    float* values = weight.data_ptr<float>();
    for (int64_t i = 0; i < weight.numel(); ++i) {
      values[i] = static_cast<float>((2 * uniform(random_) - 1) * bound);
    }
    parameter(name + "_weight", weight);
    parameter(name + "_bias", at::zeros({outputs}, at::kFloat));
  }

  /// A linear layer that answers 0 until it has learnt something.
  void silent_linear(const std::string& name, int64_t inputs, int64_t outputs) {
    parameter(name + "_weight", at::zeros({outputs, inputs}, at::kFloat));
    parameter(name + "_bias", at::zeros({outputs}, at::kFloat));
  }

  /// A matrix that keeps angles as far as its size allows: directions drawn at random, each made
  /// orthogonal to those before it (Gram and Schmidt), and `length` long.
  void projection(const std::string& name, int64_t inputs, int64_t outputs, double length) {
    at::Tensor weight = at::empty({outputs, inputs}, at::kDouble);
    auto values = weight.accessor<double, 2>();
    for (int64_t o = 0; o < outputs; ++o) {
      for (int64_t i = 0; i < inputs; ++i) values[o][i] = 2 * uniform(random_) - 1;
    }
    // Whichever there are fewer of: rows, or columns.
    at::Tensor directions = outputs < inputs ? weight : weight.t();
    for (int64_t r = 0; r < directions.size(0); ++r) {
      for (int64_t before = 0; before < r; ++before) {
        directions[r] -= directions[before] * at::dot(directions[r], directions[before]);
      }
      directions[r] /= directions[r].norm();
    }
    parameter(name + "_weight", (weight * length).to(at::kFloat));
  }

  void parameter(const std::string& name, const at::Tensor& value) {
    module_.register_parameter(name, value.detach().set_requires_grad(true), false);
  }

  /// (x − mean) · scale, and 0 with a flag of its own where a number is missing. A new item's
  /// number may lie far outside what was trained on, so it is held within ten deviations.
  void standardise(const std::string& name, const ColumnScaling& scaling) {
    module_.register_buffer(name + "_mean", buffer_of(scaling.mean));
    module_.register_buffer(name + "_scale", buffer_of(scaling.scale));
    module_.define(
        "def scaled_" + name +
        "(self, x: Tensor) -> Tensor:\n"
        "    missing = torch.isnan(x)\n"
        "    x = (x - self." +
        name + "_mean) * self." + name +
        "_scale\n"
        "    x = torch.where(missing, torch.zeros_like(x), torch.clamp(x, -10.0, 10.0))\n"
        "    return torch.cat([x, missing.to(x.dtype)], 1)\n");
  }

  torch::jit::Module finish(const std::string& body) {
    module_.define(body);
    return module_;
  }

 private:
  torch::jit::Module module_;
  std::mt19937_64& random_;
};

std::string linear(const std::string& input, const std::string& name) {
  return "torch.linear(" + input + ", self." + name + "_weight, self." + name + "_bias)";
}

/// The last lines of a forward pass that has its result in `x`.
std::string answer(const TwoTowerOptions& options) {
  if (!options.unit_vectors) return "    return x\n";
  return "    length = torch.sqrt(torch.sum(x * x, 1, True) + 1e-12)\n"
         "    return x / length\n";
}

torch::jit::Module make_item_tower(const TwoTowerOptions& options, const ColumnScaling& attributes,
                                   std::mt19937_64& random) {
  const int64_t d = options.dimensions;
  ModuleMaker maker("ItemTower", random);
  // Zeros, so that an id which shares no bucket with a trained one changes nothing. Gradients of
  // the tables are sparse: a step costs what its items cost, however many buckets there are.
  maker.parameter("id_embedding", at::zeros({options.id_buckets, d}, at::kFloat));
  std::string body =
      "def forward(self, ids: Tensor, attributes: Tensor, categories: Tensor) -> Tensor:\n"
      "    x = torch.embedding(self.id_embedding, ids, -1, False, True) + self.bias\n";
  maker.parameter("bias", at::full({d}, 1.0 / std::sqrt(static_cast<double>(d)), at::kFloat));
  if (options.categories > 0) {
    maker.parameter("category_embedding", at::zeros({options.category_buckets, d}, at::kFloat));
    body +=
        "    given = (categories > 0).to(x.dtype).unsqueeze(2)\n"
        "    names = torch.embedding(self.category_embedding, categories, -1, False, True)\n"
        "    x = x + torch.sum(names * given, 1)\n";
  }
  if (options.attributes > 0) {
    maker.standardise("attributes", attributes);
    const int64_t width = int64_t{2} * options.attributes;
    maker.projection("attribute", width, d,
                     1.0 / std::sqrt(static_cast<double>(options.attributes)));
    body += "    x = x + torch.linear(self.scaled_attributes(attributes), self.attribute_weight)\n";
  }
  maker.linear("hidden", d, options.hidden);
  maker.silent_linear("out", options.hidden, d);
  body += "    h = torch.relu(" + linear("x", "hidden") + ")\n    x = x + " + linear("h", "out") +
          "\n" + answer(options);
  return maker.finish(body);
}

torch::jit::Module make_user_tower(const TwoTowerOptions& options, const ColumnScaling& context,
                                   std::mt19937_64& random) {
  const int64_t d = options.dimensions;
  ModuleMaker maker("UserTower", random);
  maker.linear("key", d, d);
  maker.linear("attention", d, 1);
  // Each is at least 0 once it is through softplus: an older read never counts for more.
  maker.parameter("recency", at::zeros({1}, at::kFloat));
  maker.parameter("no_reads", at::full({d}, 1.0 / std::sqrt(static_cast<double>(d)), at::kFloat));
  maker.parameter("no_reads_logit", at::zeros({1}, at::kFloat));
  std::string body =
      "def forward(self, reads: Tensor, hours: Tensor, present: Tensor, context: Tensor) -> "
      "Tensor:\n"
      "    keys = torch.tanh(" +
      linear("reads", "key") + ")\n    logits = " + linear("keys", "attention") +
      ".squeeze(2)\n"
      "    logits = logits - torch.softplus(self.recency) * torch.log1p(hours)\n"
      "    logits = logits + (present - 1.0) * 1e9\n"
      "    alone = self.no_reads_logit.expand(logits.size(0), 1)\n"
      "    weights = torch.softmax(torch.cat([logits, alone], 1), 1)\n"
      "    of_reads = weights[:, 0:-1].unsqueeze(2)\n"
      "    x = torch.sum(of_reads * reads, 1) + weights[:, -1:] * self.no_reads\n"
      "    h = x\n";
  int64_t width = d;
  if (options.context > 0) {
    maker.standardise("context", context);
    body += "    h = torch.cat([x, self.scaled_context(context)], 1)\n";
    width += int64_t{2} * options.context;
  }
  maker.linear("hidden", width, options.hidden);
  maker.silent_linear("out", options.hidden, d);
  body += "    h = torch.relu(" + linear("h", "hidden") + ")\n    x = x + " + linear("h", "out") +
          "\n" + answer(options);
  return maker.finish(body);
}

}  // namespace

TwoTowerModules make_two_towers(const TwoTowerOptions& options, const ColumnScaling& attributes,
                                const ColumnScaling& context, std::mt19937_64& random) {
  torch::jit::Module item = make_item_tower(options, attributes, random);
  return {std::move(item), make_user_tower(options, context, random)};
}

}  // namespace feedrank
