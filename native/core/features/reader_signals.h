#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>

#include "catalog/snapshot.h"
#include "features/engagement.h"

namespace feedrank {

/// What one request's reader, and the page that the slate stands on, have to do with items. Read
/// from the stores once a request. Co-reads move click-through: readers of an item tend to read
/// what its other readers do. Costs some tens of microseconds a request.
class ReaderSignals {
 public:
  /// What a request has to do with one item.
  struct OfItem {
    bool read = false;
    uint16_t times_shown = 0;
    int64_t last_shown = INT64_MIN;
    // Similarity of two items: pair / sqrt((reads of one + s) · (reads of the other + s)), the
    // cosine of co-occurrence (Salton and McGill 1983) shrunk by s for items with few reads.
    double co_read_sum = 0;
    double co_read_max = 0;
    double co_read_current = 0;
    double follow_ups = 0;
  };
  struct Request {
    const Snapshot& snapshot;
    const Engagement& engagement;
    int64_t now;
    const std::optional<UserId>& user;
    const std::optional<ItemId>& current_item;
    double co_read_weight;  // s
  };
  struct Parts {
    bool history = false;
    bool co_reads = false;
    bool co_reads_of_page = false;
    bool follow_ups = false;
  };

  /// A reader's last reads, of items that the catalog still has, that similarities are taken to.
  static constexpr size_t kReads = 20;

  ReaderSignals(const Request& request, const Parts& parts);

  bool has_page() const { return has_page_; }
  double history_length() const { return history_length_; }
  /// Decayed clicks from the page, on any item.
  double clicks_from_page() const { return clicks_from_page_; }

  OfItem of(Slot slot) const;

 private:
  static uint64_t key(Slot slot) { return uint64_t{slot.generation} << 32 | slot.index; }
  void read_history(const Request& request, const Parts& parts);
  void read_page(const Request& request, const Parts& parts);

  const PairStore& co_reads_;
  const int64_t now_;
  const double co_read_weight_;
  bool has_page_ = false;
  double history_length_ = 0;
  double clicks_from_page_ = 0;
  // Co-reads lack the factor of the item's own reads, which only the items asked for need.
  std::unordered_map<uint64_t, OfItem> items_;
};

}  // namespace feedrank
