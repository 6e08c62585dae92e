#include "training/two_tower_data.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <unordered_map>

#include "error.h"

namespace feedrank {
namespace {

void check(bool holds, const std::string& argument, const std::string& expected) {
  if (!holds) throw Error("INVALID_ARGUMENT", argument, argument + ": expected " + expected);
}

template <typename T>
void append(std::vector<T>& to, const std::vector<T>& values) {
  to.insert(to.end(), values.begin(), values.end());
}

template <typename T>
bool all_below(const std::vector<T>& values, T lowest, T bound) {
  return std::all_of(values.begin(), values.end(),
                     [&](T value) { return value >= lowest && value < bound; });
}

ColumnScaling scaling_of(size_t columns, size_t rows, const std::vector<float>& values,
                         const std::vector<uint8_t>* chosen) {
  ColumnScaling scaling{std::vector<float>(columns, 0.0F), std::vector<float>(columns, 1.0F)};
  for (size_t c = 0; c < columns; ++c) {
    double sum = 0;
    double count = 0;
    const auto each = [&](auto&& visit) {
      for (size_t i = 0; i < rows; ++i) {
        const double value = values[i * columns + c];
        if (std::isfinite(value) && (chosen == nullptr || (*chosen)[i] != 0)) visit(value);
      }
    };
    each([&](double value) {
      sum += value;
      count += 1;
    });
    if (count == 0) continue;
    const double mean = sum / count;
    double squares = 0;
    each([&](double value) { squares += (value - mean) * (value - mean); });
    const double deviation = std::sqrt(squares / count);
    scaling.mean[c] = static_cast<float>(mean);
    // A constant column says nothing, whatever it is divided by.
    if (deviation > 1e-6 * std::max(1.0, std::abs(mean))) {
      scaling.scale[c] = static_cast<float>(1.0 / deviation);
    }
  }
  return scaling;
}

}  // namespace

void TwoTowerData::add(const TwoTowerItems& items) {
  const size_t n = items.ids.size();
  check(!is_split_, "items", "none after training has begun");
  check(items.attributes.size() == n * options_.attributes, "items.attributes",
        std::to_string(options_.attributes) + " values an item");
  check(items.categories.size() == n * options_.categories, "items.categories",
        std::to_string(options_.categories) + " buckets an item");
  check(items.publish_times.size() == n, "items.publishTimes", "one instant an item");
  check(all_below<int64_t>(items.ids, 1, options_.id_buckets), "items.ids", "buckets of ids");
  check(all_below<int64_t>(items.categories, 0, options_.category_buckets), "items.categories",
        "buckets of categories");
  append(items_.ids, items.ids);
  append(items_.attributes, items.attributes);
  append(items_.categories, items.categories);
  append(items_.publish_times, items.publish_times);
}

void TwoTowerData::add(const TwoTowerExamples& examples) {
  const size_t n = examples.clicked.size();
  check(!is_split_, "examples", "none after training has begun");
  check(examples.at.size() == n, "examples.at", "one instant an example");
  check(examples.context.size() == n * options_.context, "examples.context",
        std::to_string(options_.context) + " values an example");
  check(examples.read_ends.size() == n, "examples.readEnds", "one end an example");
  check(examples.read_hours.size() == examples.reads.size(), "examples.readHours",
        "one time a read");
  check(all_below<uint32_t>(examples.clicked, 0, item_count()), "examples.clicked",
        "numbers of items");
  check(all_below<uint32_t>(examples.reads, 0, item_count()), "examples.reads", "numbers of items");
  check(all_below<float>(examples.read_hours, 0.0F, std::numeric_limits<float>::infinity()),
        "examples.readHours", "finite hours of at least 0");
  uint32_t begin = 0;
  for (const uint32_t end : examples.read_ends) {
    check(end >= begin && end - begin <= options_.max_reads, "examples.readEnds",
          "rising ends with at most " + std::to_string(options_.max_reads) + " reads between them");
    begin = end;
  }
  check(begin == examples.reads.size(), "examples.readEnds", "an end after the last read");
  const auto before = static_cast<uint32_t>(examples_.reads.size());
  append(examples_.clicked, examples.clicked);
  append(examples_.at, examples.at);
  append(examples_.context, examples.context);
  append(examples_.reads, examples.reads);
  append(examples_.read_hours, examples.read_hours);
  for (const uint32_t end : examples.read_ends) examples_.read_ends.push_back(before + end);
}

void TwoTowerData::split(uint32_t training) {
  check(!is_split_, "trainingExamples", "one split");
  check(training <= example_count(), "trainingExamples", "at most as many as there are");
  if (training == 0)
    throw Error("EMPTY_DATA", "examples", "examples: there are no clicks to train on");
  is_split_ = true;
  training_ = training;
  trained_.assign(item_count(), 0);
  training_clicks_.assign(item_count(), 0);
  validation_clicks_.assign(item_count(), 0);
  for (uint32_t e = 0; e < example_count(); ++e) {
    ++(e < training ? training_clicks_ : validation_clicks_)[examples_.clicked[e]];
    if (e < training) trained_[examples_.clicked[e]] = 1;
  }
  for (uint32_t r = 0; r < examples_.read_ends[training - 1]; ++r) trained_[examples_.reads[r]] = 1;
}

ColumnScaling TwoTowerData::attribute_scaling() const {
  return scaling_of(options_.attributes, item_count(), items_.attributes, &trained_);
}

ColumnScaling TwoTowerData::context_scaling() const {
  return scaling_of(options_.context, training_, examples_.context, nullptr);
}

TwoTowerBatch TwoTowerData::training_batch(std::span<const uint32_t> examples,
                                           std::mt19937_64& random) const {
  TwoTowerBatch made = batch(examples, training_clicks_, training_count());
  for (int64_t& id : made.ids) {
    if (uniform(random) < options_.id_dropout) id = 0;
  }
  return made;
}

TwoTowerBatch TwoTowerData::validation_batch(std::span<const uint32_t> examples) const {
  TwoTowerBatch made = batch(examples, validation_clicks_, validation_count());
  for (size_t i = 0; i < made.ids.size(); ++i) {
    if (trained_[made.items[i]] == 0) made.ids[i] = 0;
  }
  return made;
}

TwoTowerBatch TwoTowerData::batch(std::span<const uint32_t> examples,
                                  const std::vector<uint32_t>& clicks, uint32_t total) const {
  constexpr double kHourMs = 3'600'000.0;
  const size_t n = examples.size();
  const size_t width = options_.max_reads;
  TwoTowerBatch made;
  std::unordered_map<uint32_t, int64_t> places;
  const auto place_of = [&](uint32_t item) {
    const auto [place, added] = places.try_emplace(item, static_cast<int64_t>(made.items.size()));
    if (added) made.items.push_back(item);
    return place->second;
  };
  made.reads.assign(n * width, 0);
  made.read_hours.assign(n * width, 0.0F);
  made.present.assign(n * width, 0.0F);
  for (size_t i = 0; i < n; ++i) {
    const uint32_t example = examples[i];
    const uint32_t item = examples_.clicked[example];
    made.clicked.push_back(place_of(item));
    made.log_q.push_back(static_cast<float>(std::log(double(clicks[item]) / total)));
    const uint32_t begin = example == 0 ? 0 : examples_.read_ends[example - 1];
    for (uint32_t r = begin; r < examples_.read_ends[example]; ++r) {
      const size_t at = i * width + (r - begin);
      made.reads[at] = place_of(examples_.reads[r]);
      made.read_hours[at] = examples_.read_hours[r];
      made.present[at] = 1.0F;
    }
    const float* context = examples_.context.data() + size_t{example} * options_.context;
    made.context.insert(made.context.end(), context, context + options_.context);
  }
  for (size_t i = 0; i < n; ++i) {
    const int64_t at = examples_.at[examples[i]];
    for (size_t j = 0; j < n; ++j) {
      const int64_t published = items_.publish_times[examples_.clicked[examples[j]]];
      made.age_hours.push_back(static_cast<float>(static_cast<double>(at - published) / kHourMs));
    }
  }
  for (const uint32_t item : made.items) {
    made.ids.push_back(items_.ids[item]);
    const float* attributes = items_.attributes.data() + size_t{item} * options_.attributes;
    made.attributes.insert(made.attributes.end(), attributes, attributes + options_.attributes);
    const int64_t* categories = items_.categories.data() + size_t{item} * options_.categories;
    made.categories.insert(made.categories.end(), categories, categories + options_.categories);
  }
  return made;
}

}  // namespace feedrank
