#include "training/ranker_trainer.h"

#include <torch/script.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "check.h"
#include "error.h"
#include "ranking/model_backend.h"
#include "training_support.h"

namespace {

using namespace feedrank;
using namespace feedrank::testing;
using std::chrono::milliseconds;

RankerTrainingOptions small_options(const RankingLists& data) {
  RankerTrainingOptions options;
  options.architecture.features = data.features();
  options.architecture.hidden = {16};
  options.architecture.heads = {"click", "dwell"};
  options.learning_rate = 0.01;
  options.batch_lists = 32;
  options.epochs = 10;
  options.dropout = 0.1;
  options.end_list = data.size();
  return options;
}

/// As the executor's threads do it: small products are slower when they are shared out.
const bool kOneThread = [] {
  prepare_torch_thread();
  return true;
}();

void train(RankerTrainer& trainer, uint32_t epochs) {
  for (uint32_t epoch = 0; epoch < epochs; ++epoch) {
    while (!trainer.step(milliseconds(5)).epoch_ended) continue;
  }
}

/// Share of pairs in the right order, by the first of two heads.
double pair_accuracy(const RankingLists& data, const std::vector<float>& outputs) {
  double pairs = 0;
  double ordered = 0;
  for (size_t list = 0; list < data.size(); ++list) {
    for (size_t i = data.begin_of(list); i < data.end_of(list); ++i) {
      for (size_t j = data.begin_of(list); j < data.end_of(list); ++j) {
        if (!data.clicked(i) || data.clicked(j)) continue;
        pairs += 1;
        ordered += outputs[2 * i] > outputs[2 * j] ? 1 : 0;
      }
    }
  }
  return ordered / pairs;
}

torch::jit::Module loaded(const std::string& bytes) {
  std::istringstream in(bytes);
  return torch::jit::load(in);
}

at::Tensor rows_of(const RankingLists& data) {
  const size_t rows = data.end_of(data.size() - 1);
  return at::from_blob(const_cast<float*>(data.row(0)),
                       {static_cast<int64_t>(rows), data.features()}, at::kFloat);
}

TEST_CASE("every loss learns what makes readers click") {
  Random random(7);
  const auto data = random_lists(random, {.lists = 600, .signal = 4});
  for (const auto loss :
       {RankingLoss::kSoftmax, RankingLoss::kPairwise, RankingLoss::kLambdaRank}) {
    for (const uint32_t cross_layers : {0, 1}) {
      RankerTrainingOptions options = small_options(*data);
      options.loss = loss;
      options.architecture.cross_layers = cross_layers;
      RankerTrainer trainer(data, options);
      train(trainer, 10);
      EXPECT(pair_accuracy(*data, trainer.score(0, data->size())) > 0.93);
    }
  }
}

TEST_CASE("one seed gives one ranker, whatever the length of the steps") {
  Random random(3);
  const auto data = random_lists(random, {.lists = 200, .groups = 2, .signal = 1});
  const auto bytes_of = [&](uint64_t seed, milliseconds budget) {
    RankerTrainingOptions options = small_options(*data);
    options.seed = seed;
    options.negatives = 2;
    options.positions = true;
    options.fairness_weight = 0.5;
    RankerTrainer trainer(data, options);
    for (int epochs = 0; epochs < 3;) epochs += trainer.step(budget).epoch_ended ? 1 : 0;
    return export_ranker({&trainer}, {});
  };
  const std::string first = bytes_of(1, milliseconds(0));
  EXPECT(first == bytes_of(1, milliseconds(50)));
  EXPECT(first != bytes_of(2, milliseconds(50)));
}

TEST_CASE("a progress counts the epoch's batches and rows") {
  Random random(3);
  const auto data = random_lists(random, {.lists = 100, .shortest = 4, .longest = 4});
  RankerTrainingOptions options = small_options(*data);
  RankerTrainer trainer(data, options);
  const auto first = trainer.step(milliseconds(0));
  EXPECT_EQ(first.epoch, 0U);
  EXPECT_EQ(first.batches, 1U);
  EXPECT_EQ(first.rows, uint64_t{32 * 4});
  EXPECT(!first.epoch_ended);
  trainer.step(milliseconds(0));
  const auto last = trainer.step(milliseconds(1000));
  EXPECT_EQ(last.batches, 3U);
  EXPECT(last.epoch_ended);
  EXPECT_EQ(trainer.step(milliseconds(0)).epoch, 1U);
}

TEST_CASE("the exported module says what the networks say, on average") {
  Random random(9);
  const auto data = random_lists(random, {.lists = 150, .signal = 2});
  RankerTrainingOptions options = small_options(*data);
  options.architecture.hidden = {8, 4};
  options.architecture.cross_layers = 2;
  RankerTrainer one(data, options);
  options.seed = 2;
  RankerTrainer two(data, options);
  train(one, 2);
  train(two, 2);
  const std::vector<float> scores_one = one.score(0, data->size());
  const std::vector<float> scores_two = two.score(0, data->size());
  torch::jit::Module module = loaded(export_ranker({&one, &two}, {}));
  const at::Tensor outputs = module.forward({rows_of(*data)}).toTensor().contiguous();
  EXPECT_EQ(outputs.size(1), 2);
  REQUIRE(static_cast<size_t>(outputs.numel()) == scores_one.size());
  for (size_t i = 0; i < scores_one.size(); ++i) {
    EXPECT_NEAR(outputs.data_ptr<float>()[i], (scores_one[i] + scores_two[i]) / 2, 1e-5);
  }
}

TEST_CASE("a calibration adds the head that turns the first into a probability") {
  Random random(9);
  const auto data = random_lists(random, {.lists = 50, .signal = 2});
  RankerTrainer trainer(data, small_options(*data));
  train(trainer, 1);
  const std::vector<float> scores = trainer.score(0, data->size());

  ClickCalibration platt{.kind = ClickCalibration::Kind::kPlatt, .slope = 2, .offset = -1};
  torch::jit::Module module = loaded(export_ranker({&trainer}, platt));
  at::Tensor outputs = module.forward({rows_of(*data)}).toTensor().contiguous();
  EXPECT_EQ(outputs.size(1), 3);
  for (int64_t i = 0; i < outputs.size(0); ++i) {
    const double score = double{scores[2 * static_cast<size_t>(i)]};
    EXPECT_NEAR(outputs[i][2].item<double>(), 1 / (1 + std::exp(1 - 2 * score)), 1e-5);
  }

  ClickCalibration isotonic{.kind = ClickCalibration::Kind::kIsotonic,
                            .scores = {-0.5F, 0.0F, 1.0F},
                            .probabilities = {0.1F, 0.2F, 0.8F}};
  module = loaded(export_ranker({&trainer}, isotonic));
  outputs = module.forward({rows_of(*data)}).toTensor().contiguous();
  for (int64_t i = 0; i < outputs.size(0); ++i) {
    const double score = double{scores[2 * static_cast<size_t>(i)]};
    const double expected = score <= -0.5  ? 0.1
                            : score <= 0.0 ? 0.1 + (score + 0.5) / 0.5 * 0.1
                            : score <= 1.0 ? 0.2 + score * 0.6
                                           : 0.8;
    EXPECT_NEAR(outputs[i][2].item<double>(), expected, 1e-5);
  }
}

TEST_CASE("a feature that never varied in training does not count later") {
  Random random(4);
  const auto varied = random_lists(random, {.lists = 60, .signal = 2});
  auto data = std::make_shared<RankingLists>(5);
  for (size_t list = 0; list < varied->size(); ++list) {
    std::vector<float> rows;
    std::vector<uint8_t> clicked;
    for (size_t row = varied->begin_of(list); row < varied->end_of(list); ++row) {
      rows.insert(rows.end(), varied->row(row), varied->row(row) + 4);
      rows.push_back(3.0F);
      clicked.push_back(varied->clicked(row) ? 1 : 0);
    }
    const std::vector<uint32_t> lengths{static_cast<uint32_t>(clicked.size())};
    const std::vector<float> dwell{std::numeric_limits<float>::quiet_NaN()};
    data->append({rows, lengths, clicked, dwell, std::vector<uint8_t>(clicked.size(), 255)});
  }
  RankerTrainer trainer(data, small_options(*data));
  train(trainer, 1);
  torch::jit::Module module = loaded(export_ranker({&trainer}, {}));
  const at::Tensor row = at::rand({1, 5});
  const at::Tensor before = module.forward({row}).toTensor();
  row[0][4] = 1e6;
  EXPECT(at::equal(before, module.forward({row}).toTensor()));
}

TEST_CASE("what a place adds is learnt apart from what an item is worth") {
  Random random(6);
  const auto data = random_lists(
      random, {.lists = 1500, .shortest = 6, .longest = 8, .signal = 0.5, .position_effect = 0.6});
  // The first place's rows are mostly marked, so that a ranker could take the mark for merit.
  auto marked = std::make_shared<RankingLists>(5);
  for (size_t list = 0; list < data->size(); ++list) {
    std::vector<float> rows;
    std::vector<uint8_t> clicked;
    const size_t marked_row = data->begin_of(list) + (random.between(0, 1) < 0.6 ? 0 : 3);
    for (size_t row = data->begin_of(list); row < data->end_of(list); ++row) {
      rows.insert(rows.end(), data->row(row), data->row(row) + 4);
      rows.push_back(row == marked_row ? 1.0F : 0.0F);
      clicked.push_back(data->clicked(row) ? 1 : 0);
    }
    const std::vector<uint32_t> lengths{static_cast<uint32_t>(clicked.size())};
    const std::vector<float> dwell{1.0F};
    marked->append({rows, lengths, clicked, dwell, std::vector<uint8_t>(clicked.size(), 255)});
  }
  const auto worth_of_mark = [&](bool positions) {
    RankerTrainingOptions options = small_options(*marked);
    options.positions = positions;
    options.learning_rate = 0.03;
    RankerTrainer trainer(marked, options);
    train(trainer, 10);
    torch::jit::Module module = loaded(export_ranker({&trainer}, {}));
    at::Tensor rows = at::zeros({2, 5});
    rows[1][4] = 1;
    const at::Tensor scores = module.forward({rows}).toTensor().select(1, 0);
    return (scores[1] - scores[0]).item<double>();
  };
  const double as_merit = worth_of_mark(false);
  EXPECT(as_merit > 0.5);
  EXPECT_NEAR(worth_of_mark(true), 0, as_merit * 0.4);
}

TEST_CASE("a loss that is not finite is told with its epoch and batch, and nothing is lost") {
  Random random(3);
  const auto data = random_lists(random, {.lists = 100, .signal = 1});
  RankerTrainingOptions options = small_options(*data);
  options.learning_rate = 1e30;
  RankerTrainer trainer(data, options);
  const std::vector<float> before = trainer.score(0, data->size());
  try {
    train(trainer, 10);
    EXPECT(!"a learning rate of 1e30 diverges");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), std::string("TRAINING_DIVERGED"));
    EXPECT(std::string(error.what()).find("epoch 1, batch 2") != std::string::npos);
  }
  trainer.restore();
  EXPECT(trainer.score(0, data->size()) == before);
}

TEST_CASE("lists that nothing can be learnt from are refused, and nothing is appended") {
  RankingLists data(2);
  const std::vector<float> rows{1, 2, 3, 4};
  const std::vector<float> bad_rows{1, 2, std::numeric_limits<float>::quiet_NaN(), 4};
  const std::vector<uint32_t> lengths{2};
  const std::vector<float> dwell{1};
  const std::vector<uint8_t> groups{0, 0};
  const std::vector<uint8_t> mixed{1, 0};
  EXPECT_THROWS(data.append({rows, lengths, std::vector<uint8_t>{0, 0}, dwell, groups}), Error);
  EXPECT_THROWS(data.append({rows, lengths, std::vector<uint8_t>{1, 1}, dwell, groups}), Error);
  EXPECT_THROWS(data.append({bad_rows, lengths, mixed, dwell, groups}), Error);
  EXPECT_THROWS(data.append({rows, std::vector<uint32_t>{3}, mixed, dwell, groups}), Error);
  EXPECT_EQ(data.size(), size_t{0});
  data.append({rows, lengths, mixed, dwell, groups});
  EXPECT_EQ(data.size(), size_t{1});
  RankerTrainingOptions options;
  options.architecture.features = 2;
  EXPECT_THROWS(RankerTrainer(std::make_shared<RankingLists>(2), options), Error);
}

}  // namespace
