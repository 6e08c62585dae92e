#include <c10/util/tempfile.h>
#include <torch/csrc/inductor/aoti_package/model_package_loader.h>
#include <torch/script.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <mutex>
#include <sstream>
#include <unordered_map>

#include "error.h"
#include "ranking/model_backend.h"
#include "ranking/model_output.h"
#include "ranking/torch_error.h"

namespace feedrank {
namespace {

using Package = torch::inductor::AOTIModelPackageLoader;

/// Rows of the pass that shows how a package answers.
constexpr int64_t kFirstRows = 64;

/// An AOTInductor package: native code, with the weights in it, which all clones share.
class CompiledBackend final : public ModelBackend {
 public:
  CompiledBackend(std::shared_ptr<Package> package, uint32_t features,
                  std::vector<std::string> heads)
      : package_(std::move(package)), features_(features), heads_(std::move(heads)) {}

  const std::vector<std::string>& heads() const override { return heads_; }

  void forward(const float* features, size_t rows, float* scores) override {
    const auto count = static_cast<int64_t>(rows);
    const at::Tensor output = to_scores(run(features, count), count, heads_.size());
    std::memcpy(scores, output.data_ptr<float>(), rows * heads_.size() * sizeof(float));
  }

  std::unique_ptr<ModelBackend> clone() const override {
    return std::make_unique<CompiledBackend>(package_, features_, heads_);
  }

  void learn_heads() {
    const std::vector<float> zeros(static_cast<size_t>(kFirstRows) * features_);
    name_heads(run(zeros.data(), kFirstRows), kFirstRows, heads_);
  }

 private:
  at::Tensor run(const float* features, int64_t rows) {
    const c10::InferenceMode inference;
    std::vector<at::Tensor> outputs;
    try {
      outputs = package_->run({at::from_blob(const_cast<float*>(features),
                                             {rows, static_cast<int64_t>(features_)}, at::kFloat)});
    } catch (const std::exception& error) {
      throw Error("MODEL_SHAPE", "model",
                  "model: the package failed on float32 [" + std::to_string(rows) + ", " +
                      std::to_string(features_) + "]: " + first_line(error));
    }
    if (outputs.size() != 1) refuse_output(std::to_string(outputs.size()) + " tensors");
    return outputs.front();
  }

  std::shared_ptr<Package> package_;
  uint32_t features_;
  std::vector<std::string> heads_;
};

[[noreturn]] void corrupt(const ModelOptions& options, const std::exception& error) {
  throw Error("MODEL_CORRUPT", "path",
              "path: '" + options.name + "' is not an AOTInductor package that LibTorch " +
                  libtorch_version() + " can load: " + first_line(error));
}

#if defined(__x86_64__)
/// Names of instruction sets in a package, of which code without them does nothing but crash.
bool is_missing(const std::string& instructions) {
  if (instructions == "AVX2") return __builtin_cpu_supports("avx2") == 0;
  if (instructions == "AVX512") return __builtin_cpu_supports("avx512f") == 0;
  if (instructions == "AVX512_VNNI") return __builtin_cpu_supports("avx512vnni") == 0;
  return false;
}
#else
bool is_missing(const std::string&) { return false; }
#endif

/// Compiled code checks neither its input's shape nor its processor, so its exporter has to say.
void check_metadata(const ModelOptions& options,
                    std::unordered_map<std::string, std::string> metadata) {
  const auto refuse = [&](const std::string& expected, const std::string& got) {
    throw Error("MODEL_REFUSED", "path",
                "path: '" + options.name + "' is refused: expected a package " + expected +
                    ", got " + (got.empty() ? "none" : got.substr(0, 80)));
  };
  const std::string features = std::to_string(options.features);
  if (metadata["feedrank_rows"] != "dynamic") {
    refuse("exported for any number of rows (feedrank_rows: dynamic in its metadata)",
           metadata["feedrank_rows"]);
  }
  if (metadata["feedrank_features"] != features) {
    throw Error("MODEL_SHAPE", "features",
                "features: the description lists " + features +
                    ", and the package was exported for " +
                    metadata["feedrank_features"].substr(0, 20));
  }
  const std::string version = metadata["feedrank_torch"];
  const std::string ours = libtorch_version();
  if (version.substr(0, version.rfind('.')) != ours.substr(0, ours.rfind('.'))) {
    refuse("exported with PyTorch " + ours.substr(0, ours.rfind('.')), version);
  }
  if (metadata["AOTI_DEVICE_KEY"] != "cpu") refuse("for the cpu", metadata["AOTI_DEVICE_KEY"]);
  std::istringstream instructions(metadata["AOTI_CPU_ISA"]);
  for (std::string name; instructions >> name;) {
    if (is_missing(name)) refuse("for instructions that this processor has", name);
  }
}

}  // namespace

std::unique_ptr<ModelBackend> load_compiled(const ModelOptions& options) {
  std::shared_ptr<Package> package;
  try {
    // LibTorch reads a file only by its path. This one holds what the caller has checked.
    c10::TempFile file = c10::make_tempfile("feedrank-");
    std::ofstream copy(file.name, std::ios::binary);
    copy.write(options.bytes.data(), static_cast<std::streamsize>(options.bytes.size()));
    copy.close();
    if (!copy)
      throw Error("FILE_NOT_WRITTEN", "path", "path: cannot copy the package to " + file.name);
    check_metadata(options, Package::load_metadata_from_package(file.name, "model"));
    // Two loaders at once would trip over each other.
    static std::mutex one_at_a_time;
    const std::scoped_lock lock(one_at_a_time);
    constexpr bool kSingleThreaded = false;
    package = std::make_shared<Package>(file.name, "model", kSingleThreaded,
                                        std::max(1U, options.threads));
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    corrupt(options, error);
  }
  auto backend =
      std::make_unique<CompiledBackend>(std::move(package), options.features, options.heads);
  backend->learn_heads();
  return backend;
}

}  // namespace feedrank
