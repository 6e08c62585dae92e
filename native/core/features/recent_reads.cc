#include "features/recent_reads.h"

#include <algorithm>
#include <span>

namespace feedrank {

std::vector<RecentRead> recent_reads(const Snapshot& snapshot, const Engagement& engagement,
                                     const RecentReadsQuery& query) {
  constexpr double kHourMs = 3'600'000.0;
  const Catalog& catalog = snapshot.catalog();
  std::vector<RecentRead> recent;
  const auto add = [&](Row row, int64_t at) {
    if (row == kNoRow || recent.size() >= query.most) return;
    if (query.space && !snapshot.chunk_of(row).has_vector(*query.space, Snapshot::offset_of(row))) {
      return;
    }
    const auto age = static_cast<double>(std::max<int64_t>(0, query.now - at));
    recent.push_back({row, static_cast<float>(age / kHourMs)});
  };
  Row page = kNoRow;
  if (query.page) {
    page = catalog.resolve(snapshot, std::span(&*query.page, 1)).front();
    add(page, query.now);
  }
  if (!query.user) return recent;
  const std::vector<UserStore::Read> reads = engagement.users().reads(*query.user, query.now);
  std::vector<Slot> slots;
  slots.reserve(reads.size());
  for (auto read = reads.rbegin(); read != reads.rend(); ++read) slots.push_back(read->slot);
  const std::vector<Row> rows = catalog.resolve_slots(snapshot, slots);
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i] != page) add(rows[i], reads[reads.size() - 1 - i].at);
  }
  return recent;
}

}  // namespace feedrank
