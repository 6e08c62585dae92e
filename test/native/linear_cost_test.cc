#include "slate/linear_cost.h"

#include <cmath>
#include <limits>

#include "check.h"

namespace {

using namespace feedrank;

LinearCost learnt(double rows, double ms, int times = 100) {
  LinearCost cost;
  for (int i = 0; i < times; ++i) cost.record(rows, ms);
  return cost;
}

}  // namespace

TEST_CASE("nothing is expected of a stage before it has been seen a few times") {
  LinearCost cost;
  for (uint32_t i = 0; i < LinearCost::kLeastObservations; ++i) {
    EXPECT(!cost.known());
    EXPECT_EQ(cost.at(100), 0.0);
    cost.record(100, 5);
  }
  EXPECT(cost.known());
  EXPECT_NEAR(cost.at(100), 5, 1e-9);
}

TEST_CASE("the first observation does not count") {
  LinearCost cost;
  cost.record(100, 400);
  for (int i = 0; i < 3; ++i) cost.record(100, 2);
  EXPECT_NEAR(cost.at(100), 2, 1e-9);
}

TEST_CASE("a cost that was seen at one number of rows is proportional to it") {
  const LinearCost cost = learnt(200, 8);
  EXPECT_NEAR(cost.at(50), 2, 1e-6);
  EXPECT_NEAR(cost.line().most_within(4), 100, 1e-4);
}

TEST_CASE("a fixed part is told from what each row costs") {
  LinearCost cost;
  for (int i = 0; i < 400; ++i) {
    const double rows = 50 + 50 * (i % 10);
    cost.record(rows, 1 + 0.02 * rows);
  }
  EXPECT_NEAR(cost.line().fixed, 1, 0.1);
  EXPECT_NEAR(cost.line().each, 0.02, 0.001);
  EXPECT_NEAR(cost.at(300), 7, 0.2);
}

TEST_CASE("neither part is ever negative") {
  LinearCost falling;
  LinearCost steep;
  for (int i = 0; i < 100; ++i) {
    falling.record(100 + i % 2 * 100, i % 2 == 0 ? 9 : 1);
    steep.record(100 + i % 2 * 100, i % 2 == 0 ? 1 : 9);
  }
  EXPECT(falling.line().fixed >= 0 && falling.line().each >= 0);
  EXPECT(steep.line().fixed >= 0 && steep.line().each >= 0);
}

TEST_CASE("some twenty requests tell of a change, and one that was held up does not") {
  LinearCost cost = learnt(100, 2);
  cost.record(100, 500);
  EXPECT(cost.at(100) < 3);
  for (int i = 0; i < 40; ++i) cost.record(100, 6);
  EXPECT_NEAR(cost.at(100), 6, 0.8);
}

TEST_CASE("what is no time is passed over") {
  LinearCost cost = learnt(100, 2);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double bad : {nan, infinity, -infinity, -1.0}) {
    cost.record(100, bad);
    cost.record(bad, 2);
  }
  EXPECT_NEAR(cost.at(100), 2, 1e-6);
  LinearCost none;
  for (int i = 0; i < 10; ++i) none.record(0, 3);
  EXPECT_NEAR(none.at(0), 3, 1e-9);
  EXPECT(std::isfinite(none.at(1000)));
}

TEST_CASE("a stage that is too dear for long is tried again, and one trial settles it") {
  LinearCost cost = learnt(100, 40);
  for (int i = 0; i < LinearCost::kPatience; ++i) cost.pass_over();
  EXPECT_NEAR(cost.at(100), 40, 1e-6);
  int passed = 0;
  for (; cost.at(100) > 10; ++passed) cost.pass_over();
  EXPECT_EQ(passed, 2 * static_cast<int>(LinearCost::kPatience));
  LinearCost cheaper = cost;
  cheaper.record(100, 5);
  EXPECT(cheaper.at(100) < 13);
  cost.record(100, 40);
  EXPECT_NEAR(cost.at(100), 40, 1e-6);
}

TEST_CASE("how many rows fit") {
  const CostLine line{2, 0.5};
  EXPECT_EQ(line.most_within(12), 20.0);
  EXPECT_EQ(line.most_within(2), 0.0);
  EXPECT(line.most_within(1.9) < 0);
  EXPECT(std::isinf((CostLine{1, 0}.most_within(1))));
}

TEST_CASE("a guess says the same until a few observations overrule it") {
  const LinearCost cost = learnt(100, 40);
  LinearCost guess = cost.as_guess();
  EXPECT(guess.known());
  EXPECT_NEAR(guess.at(100), cost.at(100), 1e-9);
  EXPECT_NEAR(guess.at(50), cost.at(50), 1e-9);
  LinearCost firm = cost;
  for (int i = 0; i < 4; ++i) {
    guess.record(100, 10);
    firm.record(100, 10);
  }
  EXPECT(guess.at(100) < 17);
  EXPECT(firm.at(100) > 30);
  EXPECT_EQ(LinearCost().as_guess().at(100), 0.0);
}
