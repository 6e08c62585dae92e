#include "training/list_batch.h"

#include <torch/script.h>

#include <algorithm>
#include <cmath>

namespace feedrank {
namespace {

at::Tensor copied(const std::vector<int64_t>& values) { return at::tensor(values, at::kLong); }

at::Tensor copied(const std::vector<float>& values) { return at::tensor(values, at::kFloat); }

/// `count` of the rows, drawn without replacement, in their order.
std::vector<int64_t> drawn(const std::vector<int64_t>& rows, size_t count,
                           at::Generator generator) {
  const at::Tensor order = at::randperm(static_cast<int64_t>(rows.size()), generator, at::kLong)
                               .narrow(0, 0, static_cast<int64_t>(count));
  std::vector<int64_t> chosen;
  const auto* at = order.data_ptr<int64_t>();
  for (size_t i = 0; i < count; ++i) chosen.push_back(rows[static_cast<size_t>(at[i])]);
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

}  // namespace

ListBatch gather_lists(const RankingLists& data, const std::vector<int64_t>& lists,
                       uint32_t negatives, at::Generator generator,
                       std::span<const float> teacher_scores) {
  ListBatch batch;
  batch.lists = static_cast<int64_t>(lists.size());
  int64_t rows = 0;
  for (const int64_t list : lists) {
    rows += static_cast<int64_t>(data.end_of(list) - data.begin_of(list));
  }
  batch.features = at::empty({rows, data.features()}, at::kFloat);
  batch.groups.reserve(rows);
  batch.list_of_row.reserve(rows);

  std::vector<int64_t> positions;
  std::vector<float> taught;
  std::vector<float> pair_weights;
  std::vector<int64_t> read_rows;
  std::vector<float> log_seconds;
  struct Place {
    int64_t row;
    float correction;
    float target;
  };
  std::vector<std::vector<Place>> places(lists.size());
  size_t width = 0;
  int64_t next = 0;
  float* out = batch.features.data_ptr<float>();
  for (size_t l = 0; l < lists.size(); ++l) {
    const size_t begin = data.begin_of(lists[l]);
    const size_t end = data.end_of(lists[l]);
    out = std::copy(data.row(begin), data.row(begin) + (end - begin) * data.features(), out);
    std::vector<int64_t> clicked;
    std::vector<int64_t> unclicked;
    for (size_t row = begin; row < end; ++row, ++next) {
      (data.clicked(row) ? clicked : unclicked).push_back(next);
      positions.push_back(std::min(static_cast<int64_t>(row - begin), ListBatch::kLastPosition));
      batch.groups.push_back(data.group(row));
      if (!teacher_scores.empty()) taught.push_back(teacher_scores[row]);
      batch.list_of_row.push_back(static_cast<uint32_t>(l));
    }
    const float share = 1.0F / static_cast<float>(clicked.size());
    for (const int64_t higher : clicked) {
      for (const int64_t lower : unclicked) {
        batch.pair_clicked.push_back(higher);
        batch.pair_unclicked.push_back(lower);
        pair_weights.push_back(share / static_cast<float>(unclicked.size()));
      }
    }
    for (const int64_t row : clicked) places[l].push_back({row, 0.0F, share});
    float correction = 0;
    if (unclicked.size() > negatives) {
      correction = static_cast<float>(std::log(static_cast<double>(unclicked.size()) / negatives));
      unclicked = drawn(unclicked, negatives, generator);
    }
    for (const int64_t row : unclicked) places[l].push_back({row, correction, 0.0F});
    width = std::max(width, places[l].size());
    if (clicked.size() == 1 && std::isfinite(data.dwell_seconds(lists[l]))) {
      read_rows.push_back(clicked.front());
      log_seconds.push_back(std::log1p(data.dwell_seconds(lists[l])));
    }
  }

  std::vector<int64_t> place_rows(lists.size() * width, rows);
  std::vector<float> corrections(lists.size() * width, 0.0F);
  std::vector<float> targets(lists.size() * width, 0.0F);
  for (size_t l = 0; l < lists.size(); ++l) {
    for (size_t i = 0; i < places[l].size(); ++i) {
      place_rows[l * width + i] = places[l][i].row;
      corrections[l * width + i] = places[l][i].correction;
      targets[l * width + i] = places[l][i].target;
    }
  }
  const std::vector<int64_t> shape{batch.lists, static_cast<int64_t>(width)};
  batch.positions = copied(positions);
  if (!teacher_scores.empty()) batch.teacher_scores = copied(taught);
  batch.clicked_rows = copied(batch.pair_clicked);
  batch.unclicked_rows = copied(batch.pair_unclicked);
  batch.pair_weights = copied(pair_weights);
  batch.places = copied(place_rows).view(shape);
  batch.corrections = copied(corrections).view(shape);
  batch.targets = copied(targets).view(shape);
  batch.read_rows = copied(read_rows);
  batch.log_seconds = copied(log_seconds);
  return batch;
}

}  // namespace feedrank
