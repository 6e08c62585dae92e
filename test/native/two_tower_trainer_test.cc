#include "training/two_tower_trainer.h"

#include <torch/script.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <sstream>
#include <string>
#include <vector>

#include "check.h"
#include "ranking/model_backend.h"
#include "support.h"

namespace {

using namespace feedrank;
using namespace feedrank::testing;

constexpr uint32_t kTopics = 4;
constexpr uint32_t kItems = 80;  // every fourth is of one topic
constexpr uint32_t kCold = 20;   // after those: never clicked or read
constexpr uint32_t kReads = 5;

uint32_t topic_of(uint32_t item) { return item % kTopics; }

TwoTowerOptions options_of(uint64_t seed = 1) {
  TwoTowerOptions options;
  options.dimensions = 16;
  options.hidden = 32;
  options.max_reads = kReads;
  options.attributes = 2;
  options.categories = 1;
  options.context = 1;
  options.id_buckets = 512;
  options.category_buckets = 64;
  options.batch_size = 64;
  options.seed = seed;
  return options;
}

TwoTowerItems planted_items() {
  TwoTowerItems items;
  for (uint32_t i = 0; i < kItems + kCold; ++i) {
    items.ids.push_back(1 + i);
    items.attributes.push_back(i % 3 == 0 ? std::numeric_limits<float>::quiet_NaN()
                                          : static_cast<float>(i));
    items.attributes.push_back(7.0F);
    items.categories.push_back(1 + topic_of(i));
    items.publish_times.push_back(0);
  }
  return items;
}

/// Readers have read of one topic, and click it nine times out of ten.
TwoTowerExamples planted_examples(uint32_t count, uint64_t seed) {
  Random random(seed);
  const auto below = [&](uint32_t bound) {
    return std::min(bound - 1, static_cast<uint32_t>(random.between(0, bound)));
  };
  TwoTowerExamples examples;
  for (uint32_t e = 0; e < count; ++e) {
    const uint32_t topic = below(kTopics);
    const auto draw = [&] { return below(kItems / kTopics) * kTopics + topic; };
    examples.clicked.push_back(random.between(0, 1) < 0.9 ? draw() : below(kItems));
    examples.at.push_back(3'600'000 + e);
    examples.context.push_back(static_cast<float>(random.between(-1, 1)));
    for (uint32_t r = 0; r < 1 + e % kReads; ++r) {
      examples.reads.push_back(draw());
      examples.read_hours.push_back(static_cast<float>(r));
    }
    examples.read_ends.push_back(static_cast<uint32_t>(examples.reads.size()));
  }
  return examples;
}

struct Run {
  std::string item;
  std::string user;
  double first_loss = 0;
  double last_loss = 0;
  double validation = 0;
};

Run train(const TwoTowerOptions& options, uint32_t epochs, double milliseconds) {
  prepare_torch_thread();
  TwoTowerTrainer trainer(options);
  trainer.add(planted_items());
  trainer.add(planted_examples(1500, 5));
  trainer.begin(1200);
  Run run;
  for (uint32_t epoch = 1; epoch <= epochs; ++epoch) {
    double sum = 0;
    uint32_t count = 0;
    for (;;) {
      const TwoTowerTrainer::Progress progress = trainer.step(milliseconds);
      sum += progress.loss_sum;
      count += progress.examples;
      if (progress.ended) break;
    }
    EXPECT_EQ(count, 1200U);
    (epoch == 1 ? run.first_loss : run.last_loss) = sum / count;
  }
  double sum = 0;
  uint32_t count = 0;
  for (bool ended = false; !ended;) {
    const TwoTowerTrainer::Progress progress = trainer.validate(milliseconds);
    sum += progress.loss_sum;
    count += progress.examples;
    ended = progress.ended;
  }
  EXPECT_EQ(count, 300U);
  run.validation = sum / count;
  run.item = trainer.item_tower();
  run.user = trainer.user_tower();
  return run;
}

torch::jit::Module loaded(const std::string& bytes) {
  std::istringstream stream(bytes);
  return torch::jit::load(stream);
}

at::Tensor item_vectors(torch::jit::Module module, bool with_ids) {
  TwoTowerItems items = planted_items();
  const auto n = static_cast<int64_t>(items.ids.size());
  if (!with_ids) std::fill(items.ids.begin(), items.ids.end(), 0);
  return module
      .forward({at::from_blob(items.ids.data(), {n}, at::kLong),
                at::from_blob(items.attributes.data(), {n, 2}, at::kFloat),
                at::from_blob(items.categories.data(), {n, 1}, at::kLong)})
      .toTensor()
      .clone();
}

/// Share of items of the reader's topic among the ten best of `from` to `to`.
double share_of_topic(const Run& run, uint32_t from, uint32_t to, bool with_ids) {
  const c10::InferenceMode inference;
  torch::jit::Module user = loaded(run.user);
  const at::Tensor vectors = item_vectors(loaded(run.item), with_ids);
  double found = 0;
  for (uint32_t topic = 0; topic < kTopics; ++topic) {
    at::Tensor reads = at::zeros({1, kReads, 16});
    at::Tensor present = at::zeros({1, kReads});
    for (uint32_t r = 0; r < 3; ++r) {
      reads[0][r] = vectors[topic + r * kTopics];
      present[0][r] = 1;
    }
    const at::Tensor vector =
        user.forward({reads, at::zeros({1, kReads}), present, at::zeros({1, 1})}).toTensor()[0];
    const at::Tensor scores = at::mv(vectors, vector);
    std::vector<uint32_t> order(to - from);
    std::iota(order.begin(), order.end(), from);
    std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
      return scores[a].item<float>() > scores[b].item<float>();
    });
    const auto count = std::min<size_t>(order.size(), to - from == kCold ? 5 : 10);
    for (size_t i = 0; i < count; ++i) {
      found += topic_of(order[i]) == topic ? 1.0 / static_cast<double>(count) : 0.0;
    }
  }
  return found / kTopics;
}

TEST_CASE("two towers learn a planted structure") {
  const Run run = train(options_of(), 8, 50);
  EXPECT(run.last_loss < run.first_loss - 0.3);
  // A quarter would be chance.
  EXPECT(share_of_topic(run, 0, kItems, true) > 0.9);
  EXPECT(share_of_topic(run, 0, kItems, false) > 0.9);
  // Items that nobody has clicked, by their attributes alone.
  EXPECT(share_of_topic(run, kItems, kItems + kCold, false) > 0.9);
}

TEST_CASE("without attributes, categories and context ids are enough") {
  TwoTowerOptions options = options_of();
  options.attributes = options.categories = options.context = 0;
  options.unit_vectors = false;
  prepare_torch_thread();
  TwoTowerTrainer trainer(options);
  TwoTowerItems items = planted_items();
  items.attributes.clear();
  items.categories.clear();
  trainer.add(items);
  TwoTowerExamples examples = planted_examples(1500, 5);
  examples.context.clear();
  trainer.add(examples);
  trainer.begin(1500);
  double first = 0;
  double last = 0;
  for (int epoch = 0; epoch < 8; ++epoch) {
    const double sum = trainer.step(1e9).loss_sum / 1500;
    (epoch == 0 ? first : last) = sum;
  }
  EXPECT(last < first - 0.3);
  EXPECT_EQ(error_code([&] { trainer.validate(1); }), "INVALID_ARGUMENT");
}

TEST_CASE("one seed gives the same bytes however the work is cut up") {
  const Run all = train(options_of(3), 3, 1e9);
  const Run pieces = train(options_of(3), 3, 0);
  EXPECT(all.item == pieces.item);
  EXPECT(all.user == pieces.user);
  EXPECT(all.validation == pieces.validation);
  const Run other = train(options_of(4), 3, 1e9);
  EXPECT(all.item != other.item);
}

TEST_CASE("decay is part of what is trained") {
  TwoTowerOptions options = options_of();
  options.tau_ms = 3'600'000;
  const Run decayed = train(options, 2, 1e9);
  const Run plain = train(options_of(), 2, 1e9);
  EXPECT(decayed.item != plain.item);
  EXPECT(decayed.last_loss < decayed.first_loss);
}

TEST_CASE("a loss that is not finite is an error that names epoch and batch") {
  prepare_torch_thread();
  TwoTowerOptions options = options_of();
  options.unit_vectors = false;
  options.learning_rate = 1e30;
  TwoTowerTrainer trainer(options);
  trainer.add(planted_items());
  trainer.add(planted_examples(500, 5));
  trainer.begin(500);
  const std::string before = trainer.item_tower();
  std::string message;
  try {
    for (int i = 0; i < 100; ++i) trainer.step(0);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "TRAINING_DIVERGED");
    message = error.what();
  }
  EXPECT(message.find("epoch 1, batch ") != std::string::npos);
  // What was kept last is still there.
  EXPECT(trainer.item_tower() == before);
}

TEST_CASE("parameters that were kept come back") {
  prepare_torch_thread();
  TwoTowerTrainer trainer(options_of());
  trainer.add(planted_items());
  trainer.add(planted_examples(500, 5));
  trainer.begin(400);
  trainer.step(1e9);
  trainer.keep();
  const std::string kept = trainer.user_tower();
  trainer.step(1e9);
  EXPECT(trainer.user_tower() != kept);
  trainer.restore();
  EXPECT(trainer.user_tower() == kept);
}

TEST_CASE("training data that does not fit is refused and changes nothing") {
  TwoTowerTrainer trainer(options_of());
  const auto refused = [&](auto&& spoil) {
    TwoTowerItems items = planted_items();
    TwoTowerExamples examples = planted_examples(10, 1);
    spoil(items, examples);
    return error_code([&] {
      trainer.add(items);
      trainer.add(examples);
    });
  };
  EXPECT_EQ(refused([](auto& items, auto&) { items.ids[3] = 0; }), "INVALID_ARGUMENT");
  EXPECT_EQ(refused([](auto& items, auto&) { items.ids[3] = 512; }), "INVALID_ARGUMENT");
  EXPECT_EQ(refused([](auto& items, auto&) { items.attributes.pop_back(); }), "INVALID_ARGUMENT");
  EXPECT_EQ(refused([](auto& items, auto&) { items.categories[0] = -1; }), "INVALID_ARGUMENT");
  EXPECT_EQ(error_code([&] { trainer.begin(0); }), "EMPTY_DATA");
  EXPECT_EQ(error_code([&] { trainer.begin(1); }), "INVALID_ARGUMENT");
  EXPECT_EQ(error_code([&] { trainer.step(1); }), "INVALID_ARGUMENT");
  trainer.add(planted_items());
  const auto bad = [&](auto&& spoil) {
    TwoTowerExamples examples = planted_examples(10, 1);
    spoil(examples);
    return error_code([&] { trainer.add(examples); });
  };
  EXPECT_EQ(bad([](auto& examples) { examples.clicked[0] = kItems + kCold; }), "INVALID_ARGUMENT");
  EXPECT_EQ(bad([](auto& examples) { examples.read_hours[0] = -1; }), "INVALID_ARGUMENT");
  EXPECT_EQ(bad([](auto& examples) { examples.read_hours[0] = NAN; }), "INVALID_ARGUMENT");
  EXPECT_EQ(bad([](auto& examples) { examples.read_ends[0] = 7; }), "INVALID_ARGUMENT");
  EXPECT_EQ(bad([](auto& examples) { examples.context.pop_back(); }), "INVALID_ARGUMENT");
  trainer.add(planted_examples(10, 1));
  trainer.begin(10);
  EXPECT_EQ(error_code([&] { trainer.add(planted_examples(10, 1)); }), "INVALID_ARGUMENT");
}

}  // namespace
