#ifndef FEEDRANK_TEST_NATIVE_SELECTION_SUPPORT_H_
#define FEEDRANK_TEST_NATIVE_SELECTION_SUPPORT_H_

// Candidates to select a slate from, with everything about them in plain arrays for the oracles.

#include <algorithm>
#include <cmath>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "slate/selector.h"
#include "support.h"

namespace feedrank::testing {

/// Item i of `items` is candidate i; ids rise with i and no two are published at one time.
struct Choice {
  std::vector<TestItem> items;
  std::shared_ptr<Catalog> catalog;
  std::unique_ptr<const Snapshot> snapshot;
  CandidateSet candidates;
  Settings settings;
  SelectorStage stage;
  uint32_t limit = 10;

  Choice(std::vector<TestItem> made, const std::vector<double>& scores, uint32_t dimensions = 8)
      : items(std::move(made)),
        catalog(std::make_shared<Catalog>(CatalogSchema{
            IdKind::kInteger, {{"tower", dimensions, "1"}}, {"quality"}, {"creator", "region"}})) {
    upsert(*catalog, items);
    snapshot = catalog->pin();
    for (const TestItem& item : items) candidates.append(row_of(*snapshot, item.id));
    candidates.scores = scores;
  }

  SelectionResult select() const {
    return select_slate(stage, settings, limit, *snapshot, candidates,
                        order_by_score(*snapshot, candidates), [] { return false; });
  }

  /// min-max normalised scores.
  std::vector<double> relevance() const {
    const auto [low, high] =
        std::minmax_element(candidates.scores.begin(), candidates.scores.end());
    std::vector<double> values;
    for (const double score : candidates.scores) {
      values.push_back(*high > *low ? (score - *low) / (*high - *low) : 0);
    }
    return values;
  }

  bool has_vector(size_t i) const {
    return !items[i].vectors.empty() && !items[i].vectors[0].empty() && squares(i) > 0;
  }
  double cosine(size_t i, size_t j) const {
    if (!has_vector(i) || !has_vector(j)) return 0;
    double dot = 0;
    for (size_t d = 0; d < items[i].vectors[0].size(); ++d) {
      dot += double{items[i].vectors[0][d]} * double{items[j].vectors[0][d]};
    }
    return dot / std::sqrt(squares(i) * squares(j));
  }
  double jaccard(size_t i, size_t j) const {
    const std::set<std::string> a(items[i].topics.begin(), items[i].topics.end());
    const std::set<std::string> b(items[j].topics.begin(), items[j].topics.end());
    double shared = 0;
    for (const std::string& topic : a) shared += b.count(topic) > 0 ? 1 : 0;
    const double either = static_cast<double>(a.size() + b.size()) - shared;
    return either > 0 ? shared / either : 0;
  }

  /// Whether `taken` plus i keeps the caps.
  bool within_caps(const std::vector<uint32_t>& taken, uint32_t i) const {
    const SlateLimits& limits = settings.limits;
    if (limits.per_author > 0 && !items[i].author.empty() &&
        std::count_if(taken.begin(), taken.end(), [&](uint32_t t) {
          return items[t].author == items[i].author;
        }) >= limits.per_author) {
      return false;
    }
    return limits.per_topic == 0 ||
           std::all_of(items[i].topics.begin(), items[i].topics.end(), [&](const auto& topic) {
             return std::count_if(taken.begin(), taken.end(), [&](uint32_t t) {
                      return has_topic(t, topic);
                    }) < limits.per_topic;
           });
  }
  /// Whether i may follow `taken` by the spacing.
  bool spaced(const std::vector<uint32_t>& taken, uint32_t i) const {
    for (size_t back = 1; back <= taken.size(); ++back) {
      const uint32_t t = taken[taken.size() - back];
      if (back <= settings.limits.author_spacing && !items[i].author.empty() &&
          items[t].author == items[i].author) {
        return false;
      }
      if (back > settings.limits.topic_spacing) continue;
      for (const std::string& topic : items[i].topics) {
        if (has_topic(t, topic)) return false;
      }
    }
    return true;
  }

 private:
  double squares(size_t i) const {
    double sum = 0;
    for (const float value : items[i].vectors[0]) sum += double{value} * double{value};
    return sum;
  }
  bool has_topic(uint32_t i, const std::string& topic) const {
    return std::find(items[i].topics.begin(), items[i].topics.end(), topic) !=
           items[i].topics.end();
  }
};

/// Random candidates with ties in score, items without vectors, authors or topics, and pairs of
/// items with the same vector.
inline Choice random_choice(Random& random, size_t count, uint32_t dimensions = 8) {
  std::vector<TestItem> items;
  std::vector<double> scores;
  for (size_t i = 0; i < count; ++i) {
    TestItem item{static_cast<int64_t>(i + 1), static_cast<int64_t>(1000 + i * 7 % count)};
    if (!random.chance(0.1)) item.author = "author " + std::to_string(random.below(6));
    for (int64_t t = random.below(4); t > 0; --t) {
      const std::string topic = "topic " + std::to_string(random.below(7));
      if (std::find(item.topics.begin(), item.topics.end(), topic) == item.topics.end()) {
        item.topics.push_back(topic);
      }
    }
    if (i > 0 && random.chance(0.1)) {
      item.vectors = items[static_cast<size_t>(random.below(static_cast<int64_t>(i)))].vectors;
    } else if (random.chance(0.05)) {
      item.vectors = {std::vector<float>(dimensions, 0.0F)};
    } else if (!random.chance(0.1)) {
      std::vector<float> vector;
      for (uint32_t d = 0; d < dimensions; ++d) {
        vector.push_back(static_cast<float>(random.between(-1, 1)));
      }
      item.vectors = {vector};
    }
    item.labels = {random.chance(0.3) ? "small" : "large",
                   random.chance(0.5) ? "north" : (random.chance(0.5) ? "south" : "")};
    items.push_back(std::move(item));
    scores.push_back(random.chance(0.3) ? static_cast<double>(random.below(4)) / 2
                                        : random.between(-2, 2));
  }
  return {std::move(items), scores, dimensions};
}

inline std::string ids_of(const Choice& choice, const std::vector<uint32_t>& order) {
  std::vector<int64_t> ids;
  for (const uint32_t i : order) ids.push_back(std::get<int64_t>(choice.items[i].id));
  return text(ids);
}

/// The value of a column of penalties for candidate i.
inline double penalty_of(const SelectionResult& result, const std::string& name, size_t i) {
  for (size_t c = 0; c < result.penalty_names.size(); ++c) {
    if (result.penalty_names[c] == name) {
      return result.penalties[i * result.penalty_names.size() + c];
    }
  }
  return kNaN;
}

inline double exposure_at(size_t position) {
  return 1 / std::log2(static_cast<double>(position) + 2);
}

}  // namespace feedrank::testing

#endif  // FEEDRANK_TEST_NATIVE_SELECTION_SUPPORT_H_
