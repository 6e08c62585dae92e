#include "features/reader_signals.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

namespace feedrank {

ReaderSignals::ReaderSignals(const Request& request, const Parts& parts)
    : co_reads_(request.engagement.co_reads()),
      now_(request.now),
      co_read_weight_(request.co_read_weight) {
  if (request.user && (parts.history || parts.co_reads)) read_history(request, parts);
  if (request.current_item && (parts.co_reads_of_page || parts.follow_ups)) {
    read_page(request, parts);
  }
}

void ReaderSignals::read_history(const Request& request, const Parts& parts) {
  const UserStore::State state = request.engagement.users().state(*request.user, now_);
  history_length_ = static_cast<double>(state.reads.size());
  for (const UserStore::Shown& shown : state.shown) {
    if (shown.times == 0) continue;
    OfItem& item = items_[key(shown.slot)];
    item.times_shown = shown.times;
    item.last_shown = shown.last;
  }
  for (const UserStore::Read& read : state.reads) items_[key(read.slot)].read = true;
  if (!parts.co_reads) return;
  // What is known of items that are gone depends on who has their places now.
  std::vector<Slot> reads;
  for (auto read = state.reads.rbegin(); read != state.reads.rend(); ++read) {
    reads.push_back(read->slot);
  }
  const std::vector<Row> rows = request.snapshot.catalog().resolve_slots(request.snapshot, reads);
  size_t taken = 0;
  for (size_t i = 0; i < reads.size() && taken < kReads; ++i) {
    if (rows[i] == kNoRow) continue;
    ++taken;
    const PairStore::Others known = co_reads_.others(reads[i], now_);
    const double weight = 1.0 / std::sqrt(known.total + co_read_weight_);
    for (const PairStore::Other& other : known.others) {
      OfItem& item = items_[key(other.slot)];
      item.co_read_sum += other.weight * weight;
      item.co_read_max = std::max(item.co_read_max, other.weight * weight);
    }
  }
}

void ReaderSignals::read_page(const Request& request, const Parts& parts) {
  const Row row =
      request.snapshot.catalog().resolve(request.snapshot, std::span(&*request.current_item, 1))[0];
  if (row == kNoRow) return;
  has_page_ = true;
  const Slot page = request.snapshot.slot(row);
  if (parts.co_reads_of_page) {
    const PairStore::Others known = co_reads_.others(page, now_);
    const double weight = 1.0 / std::sqrt(known.total + co_read_weight_);
    for (const PairStore::Other& other : known.others) {
      items_[key(other.slot)].co_read_current = other.weight * weight;
    }
  }
  if (parts.follow_ups) {
    const PairStore::Others known = request.engagement.follow_ups().others(page, now_);
    clicks_from_page_ = known.total;
    for (const PairStore::Other& other : known.others) {
      items_[key(other.slot)].follow_ups = other.weight;
    }
  }
}

ReaderSignals::OfItem ReaderSignals::of(Slot slot) const {
  const auto found = items_.find(key(slot));
  if (found == items_.end()) return {};
  OfItem item = found->second;
  if (item.co_read_sum > 0 || item.co_read_current > 0) {
    const double weight = 1.0 / std::sqrt(co_reads_.total(slot, now_) + co_read_weight_);
    item.co_read_sum *= weight;
    item.co_read_max *= weight;
    item.co_read_current *= weight;
  }
  return item;
}

}  // namespace feedrank
