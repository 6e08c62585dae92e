#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <span>
#include <vector>

#include "catalog/checked_batch.h"
#include "catalog/chunk.h"
#include "catalog/item_batch.h"
#include "catalog/schema.h"
#include "catalog/slot_index.h"
#include "catalog/snapshot.h"
#include "catalog/string_table.h"
#include "retrieval/clustering.h"
#include "retrieval/scan_index.h"

namespace feedrank {

/// What can be shown: the columns that hold the items. Thread-safe; writers queue behind one
/// another and readers never wait for the copying of a write.
///
/// Rows are versioned (multi-version concurrency control): a write fills rows that nobody sees,
/// then publishes them under the next epoch in one step. A request pins an epoch with `pin()`.
class Catalog : public std::enable_shared_from_this<Catalog> {
 public:
  explicit Catalog(CatalogSchema schema);

  Catalog(const Catalog&) = delete;
  Catalog& operator=(const Catalog&) = delete;

  const CatalogSchema& schema() const { return schema_; }

  /// Inserts or replaces; all of the batch becomes visible at once, or, on an error, none of it.
  /// Throws DUPLICATE_ID, INVALID_ARGUMENT. To be followed by `tidy`, as `remove` is.
  UpsertResult upsert(const ItemBatch& batch);

  RemoveResult remove(std::span<const ItemId> ids);

  /// Goes on with putting in order what writes left behind, which no request has to wait for, nor
  /// the next write for long; says whether there is more. Called once after each write it keeps up
  /// with them, and called until there is no more it leaves searches as fast as can be. Moves about
  /// `most` items of an index at most.
  bool tidy(uint32_t most = UINT32_MAX);

  std::unique_ptr<const Snapshot> pin() const;

  /// Makes inverted lists where spaces are to have them, for about a millisecond; says whether
  /// there is more to do. Until they are made, approximate searches scan.
  bool cluster_some() { return clustering_.step(*this); }

  /// The row of each id as the snapshot sees it; kNoRow where there is none, and where the item was
  /// removed since, because it could not be shown any more. Throws INVALID_ARGUMENT where an id is
  /// not of the catalog's kind.
  std::vector<Row> resolve(const Snapshot& snapshot, std::span<const ItemId> ids) const;

  /// The same for slots; a slot that has another item by now has no row.
  std::vector<Row> resolve_slots(const Snapshot& snapshot, std::span<const Slot> slots) const;

  /// The slot of each id as of now; `index` UINT32_MAX where the id is unknown.
  std::vector<Slot> slots(std::span<const ItemId> ids) const;
  /// The same for ids that lie apart, so that a batch of events need not copy them.
  std::vector<Slot> slots(std::span<const ItemId* const> ids) const;

  /// Label values of the items in these slots as of now, [slot][label]; StringTable::kNone where an
  /// item has none or has left.
  std::vector<uint32_t> labels(std::span<const Slot> slots) const;

  /// Whether each slot still has its item, as of now and not as of any snapshot.
  std::vector<uint8_t> alive(std::span<const Slot> slots) const;

  uint32_t size() const { return size_.load(std::memory_order_relaxed); }
  uint64_t epoch() const { return epoch_.load(std::memory_order_acquire); }
  uint32_t slot_count() const { return slot_count_.load(std::memory_order_acquire); }

  /// Rows in use or waiting for reuse: what the catalog has allocated, in rows and in bytes.
  uint32_t allocated_rows() const { return row_count_.load(std::memory_order_relaxed); }
  size_t bytes() const;

  StringTable& strings() { return strings_; }
  const StringTable& strings() const { return strings_; }

 private:
  friend class Snapshot;

  struct SlotEntry {
    Row current = kNoRow;
    uint32_t generation = 0;
  };
  struct Retired {
    uint32_t value;
    uint64_t epoch;
  };

  /// Codes of a batch's names.
  struct Names {
    std::vector<uint32_t> authors;
    std::vector<uint32_t> topics;
    std::vector<uint32_t> labels;
  };

  std::vector<Row> allocate_rows(size_t count);
  void reclaim();
  void reserve_slots(std::span<const size_t> hashes);
  std::vector<uint32_t> intern(std::span<const std::string> names);
  void fill(Row row, const ItemBatch& batch, size_t item, const CheckedBatch& checked,
            const Names& names);
  /// Puts filled rows into the index under an epoch to come; says how many replace another.
  uint32_t publish(std::span<const Row> rows, const ItemBatch& batch,
                   std::span<const size_t> hashes, uint64_t epoch);
  /// Gives a row its slot, its stamp and what it takes the place of; whoever looks up its id does
  /// not find it yet.
  void stamp(Row row, Slot slot, Row replaced, uint64_t epoch);
  /// Takes an item out of the index, where it is there. The index must be held.
  bool take_out(const ItemId& id, uint64_t epoch);
  /// The slot of an id as of now, for whoever writes or holds the index.
  uint32_t slot_of(const ItemIdView& id, size_t hash, const ChunkList& chunks) const;
  void note_removed(Row row, uint64_t epoch);
  /// Lets new requests see what has been written under `epoch`; `views` has room for all spaces.
  void advance(uint64_t epoch, std::shared_ptr<ScanViews> views);
  std::shared_ptr<ScanViews> empty_views() const;
  void unpin(uint64_t epoch) const;
  std::shared_ptr<const ChunkList> chunk_list() const;
  /// The row that a snapshot sees of an item whose row is `row` as of now.
  static Row row_seen(const Snapshot& snapshot, const ChunkList& chunks, Row row);
  Chunk& chunk_of(Row row) { return *(*chunks_)[row / Chunk::kRows]; }

  const CatalogSchema schema_;
  StringTable strings_;

  std::mutex write_mutex_;

  // Guards the index of ids and the slots' entries. Only who holds write_mutex_ changes them, and
  // so reads them without this one. Held exclusively for the few stores that make a turn of a write
  // known: never while vectors are copied, ids are compared or the index grows.
  mutable std::shared_mutex index_mutex_;
  SlotIndex slot_index_;
  std::vector<SlotEntry> slots_;

  // Guards what a pin reads together: epoch, chunk list, views, and the epochs in use.
  mutable std::mutex pin_mutex_;
  mutable std::map<uint64_t, uint32_t> pinned_;
  std::shared_ptr<const ChunkList> chunks_;
  std::shared_ptr<const ScanViews> views_;

  std::atomic<uint64_t> epoch_{0};
  std::atomic<uint32_t> row_count_{0};
  std::atomic<uint32_t> slot_count_{0};
  std::atomic<uint32_t> size_{0};
  std::atomic<size_t> merging_bytes_{0};

  // Touched by writers only, under write_mutex_. Retired entries are in order of their epochs.
  std::vector<std::unique_ptr<ScanIndex>> indexes_;  // [space]
  uint64_t written_ = 0;                             // items since the indexes were tidied
  std::vector<Row> free_rows_;
  std::vector<uint32_t> free_slots_;
  std::deque<Retired> retired_rows_;
  std::deque<Retired> retired_slots_;

  Clustering clustering_;
};

}  // namespace feedrank
