// Caps and spacing per author and topic.

#include "check.h"
#include "selection_support.h"

namespace {

using namespace feedrank;
using namespace feedrank::testing;

std::string selected(Choice& choice, uint32_t limit, const SlateLimits& limits) {
  choice.limit = limit;
  choice.settings.limits = limits;
  return ids_of(choice, choice.select().order);
}

}  // namespace

TEST_CASE("caps count per author and per topic, and pass over items without either") {
  Choice choice({{1, 0, "ann", {"x", "y"}},
                 {2, 0, "ann", {"z"}},
                 {3, 0, "bob", {"y"}},
                 {4, 0, "", {}},
                 {5, 0, "", {}},
                 {6, 0, "ann", {}},
                 {7, 0, "bob", {"x"}}},
                {7, 6, 5, 4, 3, 2, 1});
  EXPECT_EQ(selected(choice, 10, {}), "1 2 3 4 5 6 7");
  EXPECT_EQ(selected(choice, 3, {}), "1 2 3");
  EXPECT_EQ(selected(choice, 0, {}), "");
  EXPECT_EQ(selected(choice, 10, {1, 0, 0, 0}), "1 3 4 5");
  EXPECT_EQ(selected(choice, 10, {2, 0, 0, 0}), "1 2 3 4 5 7");
  EXPECT_EQ(selected(choice, 10, {0, 1, 0, 0}), "1 2 4 5 6");
  EXPECT_EQ(selected(choice, 4, {1, 1, 0, 0}), "1 4 5");
}

TEST_CASE("spacing puts others between two of an author or of a topic") {
  Choice choice({{1, 0, "ann", {"x"}},
                 {2, 0, "ann", {"y"}},
                 {3, 0, "ann", {"x"}},
                 {4, 0, "bob", {"x"}},
                 {5, 0, "bob", {"z"}},
                 {6, 0, "", {}}},
                {6, 5, 4, 3, 2, 1});
  EXPECT_EQ(selected(choice, 10, {0, 0, 1, 0}), "1 4 2 5 3 6");
  EXPECT_EQ(selected(choice, 10, {0, 0, 0, 1}), "1 2 3 5 4 6");
  EXPECT_EQ(selected(choice, 4, {0, 0, 1, 1}), "1 5 2 4");
  EXPECT_EQ(choice.select().notes.size(), 0U);
}

TEST_CASE("where spacing leaves nothing to take it is relaxed, and the trace counts how often") {
  Choice choice({{1, 0, "ann"}, {2, 0, "ann"}, {3, 0, "bob"}, {4, 0, "ann"}}, {4, 3, 2, 1});
  EXPECT_EQ(selected(choice, 4, {0, 0, 2, 0}), "1 3 2 4");
  const auto notes = choice.select().notes;
  REQUIRE(notes.size() == 1);
  EXPECT_EQ(notes[0], "spacing relaxed at 2 of 4 positions, where it left nothing to take");
}

TEST_CASE("caps are never relaxed: a slate is rather short") {
  Choice choice({{1, 0, "ann"}, {2, 0, "ann"}, {3, 0, "ann"}}, {3, 2, 1});
  EXPECT_EQ(selected(choice, 3, {2, 0, 5, 0}), "1 2");
}
