#include "catalog/catalog.h"

#include <algorithm>
#include <new>
#include <utility>

#include "error.h"

namespace feedrank {
namespace {

/// Nothing is visible before the epoch moves, so the index is changed in short turns: who looks up
/// an id meanwhile waits for one turn and not for the batch.
constexpr size_t kTurn = 512;

/// Items that an index moves after a write: more than a written item costs in the long run (it is
/// moved once for each class of segments, and those that replaced and removed items leave behind
/// are, too), so that segments do not pile up, and for small writes some more.
constexpr uint64_t kMovesAnItem = 8;
constexpr uint64_t kLeastMoves = 4096;

}  // namespace

Snapshot::~Snapshot() { catalog_->unpin(epoch_); }

Catalog::Catalog(CatalogSchema schema)
    : schema_(std::move(schema)), chunks_(std::make_shared<ChunkList>()) {
  for (uint32_t s = 0; s < schema_.spaces.size(); ++s) {
    indexes_.push_back(std::make_unique<ScanIndex>(s, schema_.spaces[s].dimensions));
  }
  advance(0, empty_views());
}

UpsertResult Catalog::upsert(const ItemBatch& batch) {
  std::scoped_lock write_lock(write_mutex_);
  const CheckedBatch checked = check_batch(schema_, batch);
  UpsertResult result;
  if (batch.ids.empty()) {
    result.epoch = epoch();
    return result;
  }

  const Names names{intern(batch.author_names), intern(batch.topic_names),
                    intern(batch.label_names)};
  reclaim();
  const std::vector<Row> rows = allocate_rows(batch.ids.size());
  for (size_t i = 0; i < rows.size(); ++i) fill(rows[i], batch, i, checked, names);

  reserve_slots(checked.hashes);
  auto views = empty_views();
  for (const auto& index : indexes_) index->insert(*chunks_, rows, allocated_rows());
  const uint64_t next = epoch() + 1;
  result.replaced = publish(rows, batch, checked.hashes, next);
  result.inserted = static_cast<uint32_t>(rows.size()) - result.replaced;
  size_.fetch_add(result.inserted, std::memory_order_relaxed);
  result.epoch = next;
  written_ += rows.size();
  advance(next, std::move(views));
  return result;
}

std::shared_ptr<ScanViews> Catalog::empty_views() const {
  auto views = std::make_shared<ScanViews>();
  views->reserve(indexes_.size());
  return views;
}

void Catalog::advance(uint64_t epoch, std::shared_ptr<ScanViews> views) {
  for (const auto& index : indexes_) views->push_back(index->view());
  // The last request that saw them may have ended, so the old views go outside of the lock.
  std::shared_ptr<const ScanViews> current = std::move(views);
  std::scoped_lock lock(pin_mutex_);
  views_.swap(current);
  epoch_.store(epoch, std::memory_order_release);
}

bool Catalog::tidy(uint32_t most) {
  std::scoped_lock write_lock(write_mutex_);
  const uint64_t owed = kLeastMoves + kMovesAnItem * std::exchange(written_, 0);
  const auto moves = static_cast<uint32_t>(std::min<uint64_t>(owed, most));
  bool more = false;
  try {
    auto views = empty_views();
    bool changed = false;
    size_t merging = 0;
    for (const auto& index : indexes_) {
      const ScanIndex::Tidied tidied = index->tidy(moves);
      changed = changed || tidied.changed;
      more = more || tidied.more;
      merging += index->merging_bytes();
    }
    merging_bytes_.store(merging, std::memory_order_relaxed);
    if (changed) advance(epoch(), std::move(views));
  } catch (const std::bad_alloc&) {
    // What has been written is there, and the next write tidies up.
    more = false;
  }
  return more;
}

void Catalog::note_removed(Row row, uint64_t epoch) {
  chunk_of(row).stamp_removed(Snapshot::offset_of(row), epoch);
  for (const auto& index : indexes_) index->note_removed(row);
  retired_rows_.push_back({row, epoch});
}

std::vector<uint32_t> Catalog::intern(std::span<const std::string> names) {
  std::vector<uint32_t> codes;
  codes.reserve(names.size());
  for (const std::string& name : names) codes.push_back(strings_.intern(name));
  return codes;
}

void Catalog::reserve_slots(std::span<const size_t> hashes) {
  // Memory is asked for before anything changes; twice what is needed, so that single inserts do
  // not copy each time. Who looks up an id waits for the exchange and not for the copies.
  const bool more_slots = slots_.size() + hashes.size() > slots_.capacity();
  SlotIndex::Growth growth = slot_index_.growth_for(hashes);
  if (!more_slots && growth.empty()) return;
  std::vector<SlotEntry> slots;
  if (more_slots) {
    slots.reserve(2 * (slots_.size() + hashes.size()));
    slots = slots_;
  }
  std::unique_lock index_lock(index_mutex_);
  if (more_slots) slots_.swap(slots);
  slot_index_.adopt(growth);
  index_lock.unlock();
}

uint32_t Catalog::slot_of(const ItemIdView& id, size_t hash, const ChunkList& chunks) const {
  return slot_index_.find(hash, [&](uint32_t slot) {
    const Row row = slots_[slot].current;
    return view_of(chunks[row / Chunk::kRows]->id[Snapshot::offset_of(row)]) == id;
  });
}

void Catalog::stamp(Row row, Slot slot, Row replaced, uint64_t epoch) {
  Chunk& chunk = chunk_of(row);
  const uint32_t offset = Snapshot::offset_of(row);
  chunk.slot[offset] = slot;
  chunk.previous[offset] = replaced;
  chunk.stamp_added(offset, epoch);
  if (replaced != kNoRow) note_removed(replaced, epoch);
}

uint32_t Catalog::publish(std::span<const Row> rows, const ItemBatch& batch,
                          std::span<const size_t> hashes, uint64_t epoch) {
  for (const size_t hash : hashes) slot_index_.prefetch(hash);
  uint32_t replaced = 0;
  std::vector<uint32_t> slots(rows.size());
  std::vector<uint8_t> known(rows.size(), 0);
  auto unused = static_cast<uint32_t>(slots_.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    const uint32_t found = slot_of(batch.ids[i], hashes[i], *chunks_);
    if (found != SlotIndex::kNone) {
      slots[i] = found;
      known[i] = 1;
      ++replaced;
      stamp(rows[i], {found, slots_[found].generation}, slots_[found].current, epoch);
    } else if (!free_slots_.empty()) {
      slots[i] = free_slots_.back();
      free_slots_.pop_back();
      stamp(rows[i], {slots[i], slots_[slots[i]].generation}, kNoRow, epoch);
    } else {
      slots[i] = unused++;
      stamp(rows[i], {slots[i], 0}, kNoRow, epoch);
    }
  }
  for (size_t begin = 0; begin < rows.size(); begin += kTurn) {
    const size_t end = std::min(rows.size(), begin + kTurn);
    std::unique_lock index_lock(index_mutex_);
    for (size_t i = begin; i < end; ++i) {
      if (slots[i] == slots_.size()) slots_.emplace_back();
      slots_[slots[i]].current = rows[i];
      if (known[i] == 0) slot_index_.insert(hashes[i], slots[i]);
    }
  }
  slot_count_.store(static_cast<uint32_t>(slots_.size()), std::memory_order_release);
  return replaced;
}

RemoveResult Catalog::remove(std::span<const ItemId> ids) {
  std::scoped_lock write_lock(write_mutex_);
  for (const ItemId& id : ids) check_kind(view_of(id), schema_.id_kind);
  RemoveResult result;
  auto views = empty_views();
  const uint64_t next = epoch() + 1;
  for (size_t begin = 0; begin < ids.size(); begin += kTurn) {
    const size_t end = std::min(ids.size(), begin + kTurn);
    std::unique_lock index_lock(index_mutex_);
    for (size_t i = begin; i < end; ++i) {
      if (take_out(ids[i], next)) {
        ++result.removed;
      } else {
        ++result.unknown;
      }
    }
  }
  size_.fetch_sub(result.removed, std::memory_order_relaxed);
  if (result.removed > 0) {
    written_ += result.removed;
    advance(next, std::move(views));
  }
  result.epoch = epoch();
  return result;
}

bool Catalog::take_out(const ItemId& id, uint64_t epoch) {
  const size_t hash = ItemIdHash{}(id);
  const uint32_t slot = slot_of(view_of(id), hash, *chunks_);
  if (slot == SlotIndex::kNone) return false;
  SlotEntry& entry = slots_[slot];
  note_removed(entry.current, epoch);
  retired_slots_.push_back({slot, epoch});
  entry.current = kNoRow;
  ++entry.generation;
  slot_index_.erase(hash, slot);
  return true;
}

std::unique_ptr<const Snapshot> Catalog::pin() const {
  std::scoped_lock lock(pin_mutex_);
  const uint64_t epoch = epoch_.load(std::memory_order_acquire);
  ++pinned_[epoch];
  return std::make_unique<const Snapshot>(shared_from_this(), epoch, chunks_,
                                          row_count_.load(std::memory_order_acquire), views_);
}

void Catalog::unpin(uint64_t epoch) const {
  std::scoped_lock lock(pin_mutex_);
  const auto found = pinned_.find(epoch);
  if (--found->second == 0) pinned_.erase(found);
}

void Catalog::reclaim() {
  uint64_t oldest = 0;
  {
    std::scoped_lock lock(pin_mutex_);
    oldest = pinned_.empty() ? epoch() : pinned_.begin()->first;
  }
  while (!retired_rows_.empty() && retired_rows_.front().epoch <= oldest) {
    free_rows_.push_back(retired_rows_.front().value);
    retired_rows_.pop_front();
  }
  while (!retired_slots_.empty() && retired_slots_.front().epoch <= oldest) {
    free_slots_.push_back(retired_slots_.front().value);
    retired_slots_.pop_front();
  }
}

std::vector<Row> Catalog::allocate_rows(size_t count) {
  const size_t reused = std::min(count, free_rows_.size());
  const uint64_t rows_after = uint64_t{allocated_rows()} + (count - reused);
  if (rows_after >= kNoRow) {
    throw Error("INVALID_ARGUMENT", "items", "items: a catalog holds at most 4294967294 rows");
  }
  const size_t chunks_after = (rows_after + Chunk::kRows - 1) / Chunk::kRows;
  if (chunks_after > chunks_->size()) {
    auto grown = std::make_shared<ChunkList>(*chunks_);
    while (grown->size() < chunks_after) grown->push_back(std::make_shared<Chunk>(schema_));
    std::scoped_lock lock(pin_mutex_);
    chunks_ = std::move(grown);
  }
  std::vector<Row> rows(free_rows_.end() - static_cast<ptrdiff_t>(reused), free_rows_.end());
  free_rows_.resize(free_rows_.size() - reused);
  Row next = allocated_rows();
  while (rows.size() < count) rows.push_back(next++);
  // Published only with the chunks that hold the rows; they stay invisible until stamped.
  std::scoped_lock lock(pin_mutex_);
  row_count_.store(next, std::memory_order_release);
  return rows;
}

void Catalog::fill(Row row, const ItemBatch& batch, size_t item, const CheckedBatch& checked,
                   const Names& names) {
  Chunk& chunk = chunk_of(row);
  const uint32_t offset = Snapshot::offset_of(row);
  const auto code = [](std::span<const uint32_t> codes, uint32_t position) {
    return position == StringTable::kNone ? StringTable::kNone : codes[position];
  };
  assign(chunk.id[offset], batch.ids[item]);
  chunk.set_publish_time(offset, batch.publish_times[item]);
  chunk.author[offset] = code(names.authors, batch.authors[item]);
  chunk.topics[offset].clear();
  for (const uint32_t topic : batch.topics[item]) {
    chunk.topics[offset].push_back(code(names.topics, topic));
  }
  for (size_t l = 0; l < chunk.labels.size(); ++l) {
    chunk.labels[l][offset] = code(names.labels, batch.labels[l][item]);
  }
  for (size_t c = 0; c < chunk.column_count(); ++c) {
    chunk.set_column(offset, c, batch.columns[c][item]);
  }
  for (uint32_t s = 0; s < schema_.spaces.size(); ++s) {
    chunk.set_norm(s, offset, checked.norms[s][item]);
    if (batch.spaces[s].present[item] == 0) continue;
    const uint32_t dimensions = schema_.spaces[s].dimensions;
    const auto values = batch.spaces[s].values.subspan(item * dimensions, dimensions);
    std::copy(values.begin(), values.end(), chunk.vector(s, offset));
  }
}

Row Catalog::row_seen(const Snapshot& snapshot, const ChunkList& chunks, Row row) {
  // Rows newer than the snapshot lead back to the one that it sees. Those passed on the way are
  // protected from reuse by the snapshot itself, because they were removed after it was taken.
  while (row != kNoRow) {
    const Chunk& chunk = *chunks[row / Chunk::kRows];
    const uint32_t offset = Snapshot::offset_of(row);
    if (chunk.visible(offset, snapshot.epoch())) return row;
    if (chunk.added(offset) <= snapshot.epoch()) break;
    row = chunk.previous[offset];
  }
  return kNoRow;
}

std::vector<Row> Catalog::resolve(const Snapshot& snapshot, std::span<const ItemId> ids) const {
  for (const ItemId& id : ids) check_kind(view_of(id), schema_.id_kind);
  std::vector<Row> rows(ids.size(), kNoRow);
  std::shared_lock lock(index_mutex_);
  const std::shared_ptr<const ChunkList> chunks = chunk_list();
  for (size_t i = 0; i < ids.size(); ++i) {
    const uint32_t slot = slot_of(view_of(ids[i]), ItemIdHash{}(ids[i]), *chunks);
    if (slot != SlotIndex::kNone) rows[i] = row_seen(snapshot, *chunks, slots_[slot].current);
  }
  return rows;
}

std::vector<Row> Catalog::resolve_slots(const Snapshot& snapshot,
                                        std::span<const Slot> slots) const {
  std::vector<Row> rows(slots.size(), kNoRow);
  std::shared_lock lock(index_mutex_);
  const std::shared_ptr<const ChunkList> chunks = chunk_list();
  for (size_t i = 0; i < slots.size(); ++i) {
    if (slots[i].index >= slots_.size()) continue;
    const SlotEntry& entry = slots_[slots[i].index];
    if (entry.generation != slots[i].generation) continue;
    rows[i] = row_seen(snapshot, *chunks, entry.current);
  }
  return rows;
}

std::vector<Slot> Catalog::slots(std::span<const ItemId> ids) const {
  std::vector<const ItemId*> places;
  places.reserve(ids.size());
  for (const ItemId& id : ids) places.push_back(&id);
  return slots(places);
}

std::vector<Slot> Catalog::slots(std::span<const ItemId* const> ids) const {
  for (const ItemId* id : ids) check_kind(view_of(*id), schema_.id_kind);
  std::vector<Slot> slots(ids.size());
  std::shared_lock lock(index_mutex_);
  const std::shared_ptr<const ChunkList> chunks = chunk_list();
  for (size_t i = 0; i < ids.size(); ++i) {
    const uint32_t slot = slot_of(view_of(*ids[i]), ItemIdHash{}(*ids[i]), *chunks);
    if (slot != SlotIndex::kNone) slots[i] = {slot, slots_[slot].generation};
  }
  return slots;
}

std::vector<uint32_t> Catalog::labels(std::span<const Slot> slots) const {
  const size_t width = schema_.labels.size();
  std::vector<uint32_t> labels(slots.size() * width, StringTable::kNone);
  if (width == 0) return labels;
  // A row that is current while the index is held cannot be reused.
  std::shared_lock lock(index_mutex_);
  const std::shared_ptr<const ChunkList> chunks = chunk_list();
  for (size_t i = 0; i < slots.size(); ++i) {
    if (slots[i].index >= slots_.size()) continue;
    const SlotEntry& entry = slots_[slots[i].index];
    if (entry.current == kNoRow || entry.generation != slots[i].generation) continue;
    const Chunk& chunk = *(*chunks)[entry.current / Chunk::kRows];
    const uint32_t offset = Snapshot::offset_of(entry.current);
    for (size_t l = 0; l < width; ++l) labels[i * width + l] = chunk.labels[l][offset];
  }
  return labels;
}

std::vector<uint8_t> Catalog::alive(std::span<const Slot> slots) const {
  std::vector<uint8_t> alive(slots.size(), 0);
  std::shared_lock lock(index_mutex_);
  // They lie scattered over the catalog.
  constexpr size_t kAhead = 16;
  for (size_t i = 0; i < slots.size(); ++i) {
    if (i + kAhead < slots.size() && slots[i + kAhead].index < slots_.size()) {
      prefetch(&slots_[slots[i + kAhead].index]);
    }
    if (slots[i].index >= slots_.size()) continue;
    const SlotEntry& entry = slots_[slots[i].index];
    alive[i] = entry.current != kNoRow && entry.generation == slots[i].generation ? 1 : 0;
  }
  return alive;
}

std::shared_ptr<const ChunkList> Catalog::chunk_list() const {
  std::scoped_lock lock(pin_mutex_);
  return chunks_;
}

size_t Catalog::bytes() const {
  std::shared_ptr<const ChunkList> chunks;
  std::shared_ptr<const ScanViews> views;
  {
    std::scoped_lock lock(pin_mutex_);
    chunks = chunks_;
    views = views_;
  }
  size_t bytes = merging_bytes_.load(std::memory_order_relaxed);
  if (!chunks->empty()) bytes += chunks->size() * chunks->front()->bytes();
  for (const ScanView& view : *views) bytes += view.bytes();
  std::shared_lock lock(index_mutex_);
  return bytes + slots_.capacity() * sizeof(SlotEntry) + slot_index_.bytes();
}

}  // namespace feedrank
