#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "support.h"
#include "training/ranking_lists.h"

namespace feedrank::testing {

struct ListsOptions {
  uint32_t lists = 10;
  uint32_t features = 4;
  uint32_t shortest = 2;
  uint32_t longest = 9;
  uint8_t groups = 0;         // 0: rows belong to none
  bool group_a_list = false;  // rows of one list belong together
  /// How much a feature tells of a click; 0: clicks are random.
  double signal = 0;
  /// How much the first place of a list adds to the chance of a click.
  double position_effect = 0;
};

/// Lists of random rows. Of each, the row with the highest signal · (first feature) + noise is
/// clicked, and sometimes a second one.
inline std::shared_ptr<RankingLists> random_lists(Random& random, const ListsOptions& options) {
  auto data = std::make_shared<RankingLists>(options.features);
  for (uint32_t l = 0; l < options.lists; ++l) {
    const auto length = static_cast<uint32_t>(
        random.between(options.shortest, static_cast<double>(options.longest) + 1));
    std::vector<float> rows(size_t{length} * options.features);
    for (float& value : rows) value = static_cast<float>(random.between(-1, 1));
    std::vector<uint8_t> clicked(length, 0);
    size_t best = 0;
    double highest = -std::numeric_limits<double>::infinity();
    for (size_t i = 0; i < length; ++i) {
      const double chance = options.signal * double{rows[i * options.features]} +
                            (i == 0 ? options.position_effect : 0) + random.between(0, 1);
      if (chance > highest) {
        highest = chance;
        best = i;
      }
    }
    clicked[best] = 1;
    if (length > 2 && options.signal == 0 && random.between(0, 1) < 0.3) {
      clicked[(best + 1) % length] = 1;
    }
    std::vector<uint8_t> groups(length, RankingLists::kNoGroup);
    const auto draw = [&] { return static_cast<uint8_t>(random.between(0, options.groups)); };
    const uint8_t of_list = options.groups > 0 ? draw() : RankingLists::kNoGroup;
    for (uint8_t& group : groups) {
      if (options.groups > 0) group = options.group_a_list ? of_list : draw();
    }
    const std::vector<uint32_t> lengths{length};
    const std::vector<float> dwell{static_cast<float>(random.between(1, 100))};
    data->append({rows, lengths, clicked, dwell, groups});
  }
  return data;
}

}  // namespace feedrank::testing
