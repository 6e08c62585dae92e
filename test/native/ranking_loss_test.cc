#include "training/ranking_loss.h"

#include <ATen/CPUGeneratorImpl.h>
#include <torch/script.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <vector>

#include "check.h"
#include "training/fairness_regularizer.h"
#include "training_support.h"

namespace {

using namespace feedrank;
using namespace feedrank::testing;

struct Scored {
  std::shared_ptr<RankingLists> data;
  std::vector<int64_t> lists;
  ListBatch batch;
  std::vector<float> scores;
  at::Tensor tensor;
};

Scored random_scores(uint64_t seed, uint32_t negatives, uint8_t groups, bool group_a_list = false) {
  Scored scored;
  Random random(seed);
  scored.data = random_lists(random, {.lists = 12, .groups = groups, .group_a_list = group_a_list});
  scored.lists.resize(scored.data->size());
  std::iota(scored.lists.begin(), scored.lists.end(), 0);
  scored.batch =
      gather_lists(*scored.data, scored.lists, negatives, at::detail::createCPUGenerator(seed));
  for (size_t i = 0; i < scored.batch.groups.size(); ++i) {
    scored.scores.push_back(static_cast<float>(random.between(-2, 2)));
  }
  scored.tensor = at::tensor(scored.scores, at::kFloat);
  return scored;
}

/// Calls `visit(list, clicked row, unclicked row)` for every pair.
template <typename Visit>
void for_each_pair(const RankingLists& data, Visit&& visit) {
  for (size_t list = 0; list < data.size(); ++list) {
    for (size_t i = data.begin_of(list); i < data.end_of(list); ++i) {
      for (size_t j = data.begin_of(list); j < data.end_of(list); ++j) {
        if (data.clicked(i) && !data.clicked(j)) visit(list, i, j);
      }
    }
  }
}

size_t clicks_of(const RankingLists& data, size_t list) {
  size_t clicks = 0;
  for (size_t i = data.begin_of(list); i < data.end_of(list); ++i) clicks += data.clicked(i);
  return clicks;
}

double margin_loss(double margin) { return std::log1p(std::exp(-margin)); }

/// 1 / log2(place + 2) of a row in its list, best score first.
double discount_of(const Scored& scored, size_t list, size_t row) {
  size_t above = 0;
  for (size_t i = scored.data->begin_of(list); i < scored.data->end_of(list); ++i) {
    above += scored.scores[i] > scored.scores[row] ? 1 : 0;
  }
  return 1 / std::log2(static_cast<double>(above) + 2);
}

TEST_CASE("the pairwise loss is the mean over lists of the mean over pairs") {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const Scored scored = random_scores(seed, 64, 0);
    double sum = 0;
    for_each_pair(*scored.data, [&](size_t list, size_t i, size_t j) {
      const size_t clicks = clicks_of(*scored.data, list);
      const size_t others = scored.data->end_of(list) - scored.data->begin_of(list) - clicks;
      sum += margin_loss(double{scored.scores[i]} - double{scored.scores[j]}) /
             static_cast<double>(clicks * others);
    });
    EXPECT_NEAR(ranking_loss(RankingLoss::kPairwise, scored.tensor, scored.batch).item<double>(),
                sum / static_cast<double>(scored.data->size()), 1e-5);
  }
}

TEST_CASE("the LambdaRank loss weighs pairs by the change of nDCG when they swap") {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const Scored scored = random_scores(seed, 64, 0);
    double sum = 0;
    for_each_pair(*scored.data, [&](size_t list, size_t i, size_t j) {
      double ideal = 0;
      for (size_t c = 0; c < clicks_of(*scored.data, list); ++c) {
        ideal += 1 / std::log2(static_cast<double>(c) + 2);
      }
      const double change =
          std::abs(discount_of(scored, list, i) - discount_of(scored, list, j)) / ideal;
      sum += change * margin_loss(double{scored.scores[i]} - double{scored.scores[j]});
    });
    EXPECT_NEAR(ranking_loss(RankingLoss::kLambdaRank, scored.tensor, scored.batch).item<double>(),
                sum / static_cast<double>(scored.data->size()), 1e-5);
  }
}

TEST_CASE("the softmax loss is the cross-entropy of the clicks in their list") {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const Scored scored = random_scores(seed, 64, 0);
    double sum = 0;
    for (size_t list = 0; list < scored.data->size(); ++list) {
      double total = 0;
      double clicked = 0;
      for (size_t i = scored.data->begin_of(list); i < scored.data->end_of(list); ++i) {
        total += std::exp(double{scored.scores[i]});
        if (scored.data->clicked(i)) clicked += double{scored.scores[i]};
      }
      sum += std::log(total) - clicked / static_cast<double>(clicks_of(*scored.data, list));
    }
    EXPECT_NEAR(ranking_loss(RankingLoss::kSoftmax, scored.tensor, scored.batch).item<double>(),
                sum / static_cast<double>(scored.data->size()), 1e-5);
  }
}

TEST_CASE("a sampled softmax estimates the sum over all unclicked rows") {
  // With all scores alike the correction makes the estimate exact: ln of the list's length.
  Random random(5);
  const auto data = random_lists(random, {.lists = 6, .shortest = 12, .longest = 20});
  std::vector<int64_t> lists(data->size());
  std::iota(lists.begin(), lists.end(), 0);
  const ListBatch batch = gather_lists(*data, lists, 3, at::detail::createCPUGenerator(1));
  double expected = 0;
  size_t places = 0;
  for (size_t list = 0; list < data->size(); ++list) {
    expected += std::log(static_cast<double>(data->end_of(list) - data->begin_of(list)));
    places = std::max(places, clicks_of(*data, list) + 3);
  }
  EXPECT_EQ(batch.places.size(1), static_cast<int64_t>(places));
  const at::Tensor alike = at::zeros({static_cast<int64_t>(batch.groups.size())}, at::kFloat);
  EXPECT_NEAR(ranking_loss(RankingLoss::kSoftmax, alike, batch).item<double>(),
              expected / static_cast<double>(data->size()), 1e-5);
}

double correlation(const std::vector<double>& a, const std::vector<double>& b) {
  const auto mean = [](const std::vector<double>& values) {
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  };
  const double mean_a = mean(a);
  const double mean_b = mean(b);
  double ab = 0;
  double aa = 0;
  double bb = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    ab += (a[i] - mean_a) * (b[i] - mean_b);
    aa += (a[i] - mean_a) * (a[i] - mean_a);
    bb += (b[i] - mean_b) * (b[i] - mean_b);
  }
  return ab / std::sqrt(aa * bb);
}

TEST_CASE("the pairwise regularizer is the correlation of group and margin across groups") {
  for (const uint8_t groups : {2, 3}) {
    for (uint64_t seed = 1; seed <= 20; ++seed) {
      const Scored scored = random_scores(seed, 64, groups);
      double sum = 0;
      std::set<uint8_t> found;
      for_each_pair(*scored.data, [&](size_t, size_t i, size_t j) {
        if (scored.data->group(i) != scored.data->group(j)) found.insert(scored.data->group(i));
      });
      for (const uint8_t group : found) {
        std::vector<double> margins;
        std::vector<double> belongs;
        for_each_pair(*scored.data, [&](size_t, size_t i, size_t j) {
          if (scored.data->group(i) == scored.data->group(j)) return;
          margins.push_back(double{scored.scores[i]} - double{scored.scores[j]});
          belongs.push_back(scored.data->group(i) == group ? 1 : 0);
        });
        sum += std::abs(correlation(margins, belongs));
      }
      EXPECT_NEAR(fairness_penalty(FairnessRegularizer::kPairwise, scored.tensor, scored.batch)
                      .item<double>(),
                  found.size() < 2 ? 0 : sum / static_cast<double>(found.size()), 1e-4);
    }
  }
}

TEST_CASE("groups of readers are compared over all pairs") {
  const Scored scored = random_scores(3, 64, 2, true);
  std::vector<double> margins;
  std::vector<double> belongs;
  for_each_pair(*scored.data, [&](size_t, size_t i, size_t j) {
    margins.push_back(double{scored.scores[i]} - double{scored.scores[j]});
    belongs.push_back(scored.data->group(i));
  });
  EXPECT_NEAR(
      fairness_penalty(FairnessRegularizer::kPairwise, scored.tensor, scored.batch).item<double>(),
      std::abs(correlation(margins, belongs)), 1e-4);
}

TEST_CASE("the disparity regularizer is the difference of means over lists like these") {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const Scored scored = random_scores(seed, 64, 2, seed % 2 == 0);
    double sums[2] = {};
    double counts[2] = {};
    for (size_t i = 0; i < scored.scores.size(); ++i) {
      sums[scored.data->group(i)] += double{scored.scores[i]};
      counts[scored.data->group(i)] += 1;
    }
    double squares = 0;
    for (size_t i = 0; i < scored.scores.size(); ++i) {
      const uint8_t group = scored.data->group(i);
      squares += std::pow(double{scored.scores[i]} - sums[group] / counts[group], 2);
    }
    const double pooled = squares / static_cast<double>(scored.scores.size());
    const double difference = sums[0] / counts[0] - sums[1] / counts[1];
    double squared_error = 0;
    for (size_t list = 0; list < scored.data->size(); ++list) {
      double share = 0;
      for (size_t i = scored.data->begin_of(list); i < scored.data->end_of(list); ++i) {
        const uint8_t group = scored.data->group(i);
        const double residual = double{scored.scores[i]} - sums[group] / counts[group];
        share += (group == 0 ? 1 : -1) * residual / counts[group];
      }
      squared_error += share * share;
    }
    EXPECT_NEAR(fairness_penalty(FairnessRegularizer::kDisparity, scored.tensor, scored.batch)
                    .item<double>(),
                std::sqrt((difference * difference + squared_error) / pooled), 1e-4);
  }
}

TEST_CASE("a single group cannot be treated unequally") {
  for (const uint8_t groups : {0, 1}) {
    const Scored scored = random_scores(1, 64, groups);
    for (const auto kind : {FairnessRegularizer::kPairwise, FairnessRegularizer::kDisparity}) {
      EXPECT_EQ(fairness_penalty(kind, scored.tensor, scored.batch).item<double>(), 0.0);
    }
  }
}

}  // namespace
