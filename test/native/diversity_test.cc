// MMR and DPP against straightforward float64 references, with caps and spacing.

#include <cmath>
#include <functional>

#include "check.h"
#include "selection_support.h"

namespace {

using namespace feedrank;
using namespace feedrank::testing;
using Kind = SelectorStage::Kind;

/// What an item is worth after those taken; −infinity where the objective cannot tell.
using Value = std::function<double(const std::vector<uint32_t>& taken, uint32_t item)>;

Value mmr_reference(const Choice& choice) {
  const std::vector<double> relevance = choice.relevance();
  return [&choice, relevance](const std::vector<uint32_t>& taken, uint32_t item) {
    double greatest = taken.empty() ? 0 : -kInfinity;
    for (const uint32_t other : taken) {
      greatest = std::max(
          greatest, choice.stage.space ? choice.cosine(item, other) : choice.jaccard(item, other));
    }
    const double w = choice.settings.diversity;
    return (1 - w) * relevance[item] - w * greatest;
  };
}

/// log det by Gaussian elimination with partial pivoting; −infinity where singular.
double log_determinant(std::vector<std::vector<double>> m) {
  double sum = 0;
  for (size_t k = 0; k < m.size(); ++k) {
    size_t pivot = k;
    for (size_t i = k + 1; i < m.size(); ++i) {
      if (std::abs(m[i][k]) > std::abs(m[pivot][k])) pivot = i;
    }
    if (!(std::abs(m[pivot][k]) > 0)) return -kInfinity;
    std::swap(m[k], m[pivot]);
    sum += std::log(std::abs(m[k][k]));
    for (size_t i = k + 1; i < m.size(); ++i) {
      const double factor = m[i][k] / m[k][k];
      for (size_t j = k; j < m.size(); ++j) m[i][j] -= factor * m[k][j];
    }
  }
  return sum;
}

/// w times the logarithm of what an item multiplies det L by, each determinant taken afresh.
Value dpp_reference(const Choice& choice) {
  const std::vector<double> relevance = choice.relevance();
  return [&choice, relevance](const std::vector<uint32_t>& taken, uint32_t item) {
    const double w = choice.settings.diversity;
    const double alpha = (1 - w) / (2 * w);
    const auto kernel = [&](uint32_t i, uint32_t j) {
      if (i == j) return 1.0;
      if (!choice.stage.space) return choice.jaccard(i, j);
      return choice.has_vector(i) && choice.has_vector(j) ? std::exp(choice.cosine(i, j) - 1) : 0;
    };
    const auto gain = [&](std::vector<uint32_t> set, uint32_t added, bool with_quality) {
      const auto determinant = [&] {
        std::vector<std::vector<double>> m(set.size(), std::vector<double>(set.size()));
        for (size_t i = 0; i < set.size(); ++i) {
          for (size_t j = 0; j < set.size(); ++j) {
            const double quality =
                with_quality ? std::exp(alpha * (relevance[set[i]] + relevance[set[j]])) : 1;
            m[i][j] = quality * kernel(set[i], set[j]);
          }
        }
        return log_determinant(m);
      };
      const double before = determinant();
      set.push_back(added);
      return determinant() - before;
    };
    const double least = std::log(1e-5);
    std::vector<uint32_t> set;
    for (const uint32_t t : taken) {
      // What added nothing has not become part of the set.
      if (gain(set, t, false) >= least) set.push_back(t);
    }
    if (gain(set, item, false) < least) return -kInfinity;
    return w * gain(set, item, true);
  };
}

/// Follows a slate and checks that each item was the best that the rules allowed, by the reference.
/// The core compares in float32, so that a choice may be off by the rounding of that; items that
/// are equal in all are told apart by their order.
void expect_greedy(const Choice& choice, const SelectionResult& result, const Value& value) {
  constexpr double kRounding = 2e-6;
  const auto order = order_by_score(*choice.snapshot, choice.candidates);
  std::vector<uint32_t> taken;
  while (true) {
    std::vector<uint32_t> allowed;
    for (const uint32_t i : order) {
      const bool used = std::find(taken.begin(), taken.end(), i) != taken.end();
      if (!used && choice.within_caps(taken, i)) allowed.push_back(i);
    }
    std::vector<uint32_t> spaced;
    for (const uint32_t i : allowed) {
      if (choice.spaced(taken, i)) spaced.push_back(i);
    }
    if (!spaced.empty()) allowed = spaced;
    if (allowed.empty() || taken.size() == choice.limit) break;
    REQUIRE(taken.size() < result.order.size());
    const uint32_t chosen = result.order[taken.size()];
    REQUIRE(std::find(allowed.begin(), allowed.end(), chosen) != allowed.end());
    const double worth = value(taken, chosen);
    for (const uint32_t i : allowed) {
      const double other = value(taken, i);
      const bool alike = choice.items[i].vectors == choice.items[chosen].vectors &&
                         choice.items[i].topics == choice.items[chosen].topics &&
                         choice.candidates.scores[i] == choice.candidates.scores[chosen];
      const bool earlier =
          std::find(order.begin(), order.end(), i) < std::find(order.begin(), order.end(), chosen);
      EXPECT(!(other > worth + kRounding));
      if (worth == -kInfinity || alike) EXPECT(!(earlier && other >= worth));
    }
    taken.push_back(chosen);
  }
  EXPECT_EQ(result.order.size(), taken.size());
}

void set_limits(Random& random, Choice& choice) {
  SlateLimits& limits = choice.settings.limits;
  if (random.chance(0.5)) limits.per_author = static_cast<uint32_t>(1 + random.below(3));
  if (random.chance(0.3)) limits.per_topic = static_cast<uint32_t>(2 + random.below(3));
  if (random.chance(0.5)) limits.author_spacing = static_cast<uint32_t>(random.below(4));
  if (random.chance(0.3)) limits.topic_spacing = static_cast<uint32_t>(random.below(3));
}

Choice three(const std::vector<double>& scores) {
  return {{{1, 3, "", {"x"}, {{1, 0}}}, {2, 2, "", {"x"}, {{1, 0}}}, {3, 1, "", {"y"}, {{0, 1}}}},
          scores,
          2};
}

}  // namespace

TEST_CASE("MMR takes each item by the formula, on random candidates") {
  Random random(1);
  for (int round = 0; round < 120; ++round) {
    Choice choice = random_choice(random, static_cast<size_t>(1 + random.below(60)));
    choice.stage.kind = Kind::kMmr;
    if (random.chance(0.6)) choice.stage.space = 0;
    choice.settings.diversity = std::vector<double>{0.01, 0.3, 0.5, 1}[round % 4];
    set_limits(random, choice);
    expect_greedy(choice, choice.select(), mmr_reference(choice));
  }
}

TEST_CASE("DPP takes each item by the determinants, on random candidates") {
  Random random(2);
  for (int round = 0; round < 60; ++round) {
    Choice choice = random_choice(random, static_cast<size_t>(1 + random.below(25)));
    choice.stage.kind = Kind::kDpp;
    if (random.chance(0.6)) choice.stage.space = 0;
    choice.settings.diversity = std::vector<double>{0.05, 0.3, 0.5, 1}[round % 4];
    set_limits(random, choice);
    expect_greedy(choice, choice.select(), dpp_reference(choice));
  }
}

TEST_CASE("without weight on diversity, MMR and DPP answer as top-n does") {
  Random random(3);
  for (int round = 0; round < 50; ++round) {
    Choice choice = random_choice(random, 40);
    set_limits(random, choice);
    choice.settings.diversity = 0;
    const std::string best = ids_of(choice, choice.select().order);
    for (const Kind kind : {Kind::kMmr, Kind::kDpp}) {
      for (const std::optional<uint32_t> space : {std::optional<uint32_t>(), {0U}}) {
        choice.stage = {"diverse", kind, space};
        EXPECT_EQ(ids_of(choice, choice.select().order), best);
      }
    }
  }
}

TEST_CASE("what is unlike the first item comes before its double") {
  Choice choice = three({1, 0.9, 0});
  EXPECT_EQ(ids_of(choice, choice.select().order), "1 2 3");
  choice.settings.diversity = 0.6;
  for (const Kind kind : {Kind::kMmr, Kind::kDpp}) {
    for (const std::optional<uint32_t> space : {std::optional<uint32_t>(), {0U}}) {
      choice.stage = {"diverse", kind, space};
      EXPECT_EQ(ids_of(choice, choice.select().order), "1 3 2");
    }
  }
}

TEST_CASE("the selection keeps what diversity cost each item") {
  Choice choice = three({1, 0.9, 0});
  choice.settings.diversity = 0.25;
  choice.stage = {"mmr", Kind::kMmr, 0};
  const SelectionResult mmr = choice.select();
  EXPECT_EQ(ids_of(choice, mmr.order), "1 2 3");
  EXPECT_EQ(mmr.penalty_names.size(), 1U);
  EXPECT_NEAR(penalty_of(mmr, "diversity", 0), 0, 1e-7);
  EXPECT_NEAR(penalty_of(mmr, "diversity", 1), -0.25, 1e-6);
  EXPECT_NEAR(penalty_of(mmr, "diversity", 2), 0, 1e-6);
  choice.stage = {"dpp", Kind::kDpp, 0};
  const SelectionResult dpp = choice.select();
  EXPECT_EQ(ids_of(choice, dpp.order), "1 3 2");
  const double apart = std::exp(-1);
  EXPECT_NEAR(penalty_of(dpp, "diversity", 2), 0.25 * std::log(1 - apart * apart), 1e-6);
  EXPECT_EQ(dpp.notes.size(), 1U);  // The double was taken by score, and that is said.
}

TEST_CASE("a small weight and huge scores make nothing overflow") {
  Choice choice = three({1e308, 0, -1e308});
  for (const double weight : {1e-300, 1e-9, 0.5, 1.0}) {
    for (const Kind kind : {Kind::kMmr, Kind::kDpp}) {
      choice.settings.diversity = weight;
      choice.stage = {"diverse", kind, 0};
      const SelectionResult result = choice.select();
      EXPECT_EQ(result.order.size(), 3U);
      EXPECT_EQ(result.order[0], 0U);
      for (const double penalty : result.penalties) EXPECT(std::isfinite(penalty));
    }
  }
}

TEST_CASE("out of time, the rest of a slate is taken by score, and the answer says so") {
  Choice choice = three({1, 0.9, 0});
  choice.settings.diversity = 0.6;
  choice.stage = {"mmr", Kind::kMmr, 0};
  int asked = 0;
  const auto result = select_slate(choice.stage, choice.settings, 3, *choice.snapshot,
                                   choice.candidates, {0, 1, 2}, [&] { return ++asked > 1; });
  EXPECT_EQ(ids_of(choice, result.order), "1 2 3");
  REQUIRE(result.shortfalls.size() == 1);
  EXPECT_EQ(result.shortfalls[0], "budget");
}
