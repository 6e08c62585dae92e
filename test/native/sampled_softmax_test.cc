#include "training/sampled_softmax.h"

#include <torch/script.h>

#include <cmath>
#include <vector>

#include "check.h"
#include "support.h"

namespace {

using namespace feedrank;
using namespace feedrank::testing;

struct Case {
  int64_t n;
  std::vector<double> logits;
  std::vector<double> log_q;
  std::vector<int64_t> items;
  std::vector<double> ages;
};

Case random_case(uint64_t seed, int64_t n, int64_t items) {
  Random random(seed);
  Case made{n, {}, {}, {}, {}};
  for (int64_t i = 0; i < n; ++i) {
    made.log_q.push_back(std::log(random.between(0.001, 0.5)));
    made.items.push_back(static_cast<int64_t>(random.between(0, static_cast<double>(items))));
  }
  for (int64_t i = 0; i < n * n; ++i) {
    made.logits.push_back(random.between(-8, 8));
    made.ages.push_back(random.between(-1, 4));
  }
  return made;
}

/// As the paper writes it, one number after another.
double naive_loss(const Case& given) {
  double sum = 0;
  for (int64_t i = 0; i < given.n; ++i) {
    double total = 0;
    for (int64_t j = 0; j < given.n; ++j) {
      const bool same = given.items[i] == given.items[j];
      if (j != i && (same || given.ages[i * given.n + j] < 0)) continue;
      total += std::exp(given.logits[i * given.n + j]) / std::exp(given.log_q[j]);
    }
    const double own = std::exp(given.logits[i * given.n + i]) / std::exp(given.log_q[i]);
    sum -= std::log(own / total);
  }
  return sum / static_cast<double>(given.n);
}

at::Tensor floats(const std::vector<double>& values, at::IntArrayRef shape) {
  return at::from_blob(const_cast<double*>(values.data()), shape, at::kDouble).to(at::kFloat);
}

double loss_of(const Case& given) {
  const at::Tensor items =
      at::from_blob(const_cast<int64_t*>(given.items.data()), {given.n}, at::kLong).clone();
  return sampled_softmax_loss(floats(given.logits, {given.n, given.n}),
                              floats(given.log_q, {given.n}), items,
                              floats(given.ages, {given.n, given.n}))
      .item<double>();
}

TEST_CASE("the sampled softmax with log-q correction is what the formula says") {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const Case given = random_case(seed, 24, seed % 2 == 0 ? 6 : 1000);
    EXPECT_NEAR(loss_of(given), naive_loss(given), 1e-5);
  }
}

TEST_CASE("the correction and each kind of mask change the loss") {
  const Case given = random_case(7, 16, 4);
  Case uncorrected = given;
  uncorrected.log_q.assign(16, 0.0);
  EXPECT(std::abs(loss_of(uncorrected) - loss_of(given)) > 0.01);
  Case distinct = given;
  for (int64_t i = 0; i < 16; ++i) distinct.items[i] = i;
  // More negatives can only raise the loss.
  EXPECT(loss_of(distinct) > loss_of(given) + 0.01);
  Case published = given;
  published.ages.assign(16 * 16, 1.0);
  EXPECT(loss_of(published) > loss_of(given) + 0.01);
}

TEST_CASE("a batch of one item over and over has nothing to tell apart") {
  Case given = random_case(3, 8, 1000);
  given.items.assign(8, 5);
  EXPECT_NEAR(loss_of(given), 0.0, 1e-6);
}

}  // namespace
