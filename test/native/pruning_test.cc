#include "training/pruning.h"

#include <ATen/CPUGeneratorImpl.h>
#include <torch/script.h>

#include <chrono>
#include <cmath>
#include <sstream>
#include <vector>

#include "check.h"
#include "error.h"
#include "training/distillation_loss.h"
#include "training/list_batch.h"
#include "training/ranker_network.h"
#include "training/ranker_trainer.h"
#include "training_support.h"

namespace {

using namespace feedrank;
using namespace feedrank::testing;
using std::chrono::milliseconds;

RankerArchitecture architecture(std::vector<uint32_t> hidden) {
  RankerArchitecture of;
  of.features = 4;
  of.hidden = std::move(hidden);
  return of;
}

FeatureScaling plain_scaling() { return {{0, 0, 0, 0}, {1, 1, 1, 1}}; }

at::Tensor outputs(torch::jit::Module& network, const at::Tensor& rows) {
  return network.forward({rows, c10::List<at::Tensor>()}).toTensor();
}

RankerTrainingOptions options_for(const RankingLists& data, std::vector<uint32_t> hidden) {
  RankerTrainingOptions options;
  options.architecture.features = data.features();
  options.architecture.hidden = std::move(hidden);
  options.learning_rate = 0.01;
  options.batch_lists = 32;
  options.epochs = 10;
  options.dropout = 0;
  options.end_list = data.size();
  return options;
}

void train(RankerTrainer& trainer, uint32_t epochs) {
  for (uint32_t epoch = 0; epoch < epochs; ++epoch) {
    while (!trainer.step(milliseconds(5)).epoch_ended) continue;
  }
}

TEST_CASE("units that the loss does not depend on have no importance") {
  const RankerArchitecture of = architecture({3, 2});
  auto generator = at::detail::createCPUGenerator(1);
  torch::jit::Module network = make_trainable_network(of, plain_scaling(), generator);
  {
    const at::NoGradGuard no_gradients;
    network.attr("weight1").toTensor().select(1, 1).zero_();  // nothing reads unit 1 of layer 0
    network.attr("bias0").toTensor().fill_(1.0);              // and every unit is alive
    network.attr("bias1").toTensor().fill_(1.0);
    network.attr("head_weight").toTensor().fill_(1.0);
  }
  const at::Tensor rows = at::rand({32, 4}, generator);
  const auto importance = unit_importance(of, 3, [&](const std::vector<at::Tensor>& masks) {
    return network.forward({rows, c10::List<at::Tensor>(masks)}).toTensor().square().mean();
  });
  EXPECT_EQ(importance.size(), size_t{2});
  EXPECT_EQ(importance[0].size(0), int64_t{3});
  EXPECT_EQ(importance[0][1].item<float>(), 0.0F);
  EXPECT(importance[0][0].item<float>() > 0);
  EXPECT(importance[0][2].item<float>() > 0);
}

TEST_CASE("taking out units that do nothing changes no answer") {
  const RankerArchitecture from = architecture({4, 3});
  const RankerArchitecture to = architecture({2, 2});
  auto generator = at::detail::createCPUGenerator(2);
  torch::jit::Module source = make_trainable_network(from, plain_scaling(), generator);
  torch::jit::Module target = make_trainable_network(to, plain_scaling(), generator);
  {
    const at::NoGradGuard no_gradients;
    for (const int64_t unit : {0, 2}) source.attr("weight1").toTensor().select(1, unit).zero_();
    source.attr("head_weight").toTensor().select(1, 1).zero_();
  }
  copy_most_important(from, source,
                      {at::tensor({0.0F, 3.0F, 0.1F, 2.0F}), at::tensor({1.0F, 0.0F, 1.0F})}, to,
                      target);
  const at::Tensor rows = at::rand({16, 4}, generator);
  EXPECT(at::allclose(outputs(source, rows), outputs(target, rows), 1e-6, 1e-6));
}

TEST_CASE("a network cannot be pruned to a wider one, or to another depth") {
  const RankerArchitecture from = architecture({4});
  auto generator = at::detail::createCPUGenerator(2);
  torch::jit::Module source = make_trainable_network(from, plain_scaling(), generator);
  for (const auto& hidden : std::vector<std::vector<uint32_t>>{{5}, {4, 2}, {}}) {
    const RankerArchitecture to = architecture(hidden);
    torch::jit::Module target = make_trainable_network(to, plain_scaling(), generator);
    EXPECT_THROWS(copy_most_important(from, source, {at::ones({4})}, to, target), Error);
  }
}

TEST_CASE("pruned weights stay 0 while the others learn on") {
  Random random(5);
  const auto data = random_lists(random, {.lists = 200, .signal = 2});
  RankerTrainer whole(data, options_for(*data, {16}));
  train(whole, 2);
  RankerTrainingOptions options = options_for(*data, {16});
  options.sparsity = 0.75;
  RankerTrainer pruned(data, options, whole);
  train(pruned, 2);
  std::istringstream in(export_ranker({&pruned}, {}));
  torch::jit::Module module = torch::jit::load(in);
  const at::Tensor weight = module.attr("member0").toModule().attr("weight0").toTensor();
  EXPECT_EQ((weight == 0).sum().item<int64_t>(), int64_t{48});
  const at::Tensor head = module.attr("member0").toModule().attr("head_weight").toTensor();
  EXPECT_EQ((head == 0).sum().item<int64_t>(), int64_t{0});
}

TEST_CASE("a teacher's scores are matched up to a level of their own in each list") {
  Random random(6);
  const auto data = random_lists(random, {.lists = 8});
  auto generator = at::detail::createCPUGenerator(3);
  const std::vector<int64_t> lists{0, 3, 5};
  std::vector<float> taught(data->end_of(data->size() - 1));
  for (float& score : taught) score = static_cast<float>(random.between(-2, 2));
  const ListBatch batch = gather_lists(*data, lists, 64, generator, taught);
  std::vector<float> shifted;
  std::vector<float> apart;
  double expected = 0;
  for (size_t l = 0; l < lists.size(); ++l) {
    const size_t begin = data->begin_of(lists[l]);
    const size_t length = data->end_of(lists[l]) - begin;
    std::vector<double> difference;
    double mean = 0;
    for (size_t i = 0; i < length; ++i) {
      shifted.push_back(taught[begin + i] + static_cast<float>(l) * 3);
      const float student = static_cast<float>(random.between(-2, 2));
      apart.push_back(student);
      difference.push_back(double{student} - double{taught[begin + i]});
      mean += difference.back() / static_cast<double>(length);
    }
    for (const double d : difference) {
      expected += (d - mean) * (d - mean) / static_cast<double>(length * lists.size());
    }
  }
  EXPECT(distillation_loss(at::tensor(shifted), batch).item<double>() < 1e-10);
  EXPECT(std::abs(distillation_loss(at::tensor(apart), batch).item<double>() - expected) < 1e-5);
}

TEST_CASE("a student learns what its teacher says where clicks say nothing") {
  Random random(8);
  const auto data = random_lists(random, {.lists = 300});  // clicks are random
  std::vector<float> taught;
  for (size_t row = 0; row < data->end_of(data->size() - 1); ++row) {
    taught.push_back(2 * data->row(row)[1]);
  }
  RankerTrainingOptions options = options_for(*data, {16});
  options.teacher_scores = taught;
  options.distillation_weight = 1;
  RankerTrainer student(data, options);
  train(student, 10);
  const std::vector<float> scores = student.score(0, data->size());
  size_t pairs = 0;
  size_t ordered = 0;
  for (size_t list = 0; list < data->size(); ++list) {
    const size_t first = data->begin_of(list);
    for (size_t i = first; i + 1 < data->end_of(list); ++i) {
      pairs += 1;
      ordered += (taught[i] < taught[i + 1]) == (scores[i] < scores[i + 1]) ? 1 : 0;
    }
  }
  EXPECT(static_cast<double>(ordered) > 0.95 * static_cast<double>(pairs));
  options.teacher_scores.pop_back();
  EXPECT_THROWS(RankerTrainer(data, options), Error);
}

}  // namespace
