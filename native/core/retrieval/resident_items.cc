#include "retrieval/resident_items.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <mutex>
#include <tuple>

#include "ranking/torch_device.h"
#include "retrieval/decay.h"

namespace feedrank {
namespace {

constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

int64_t as_signed(uint64_t epoch) {
  return static_cast<int64_t>(std::min(epoch, static_cast<uint64_t>(kNever)));
}

}  // namespace

std::shared_ptr<ResidentItems> ResidentItems::of(const Catalog& catalog, uint32_t space,
                                                 c10::Device device) {
  using Key = std::tuple<const Catalog*, uint32_t, c10::DeviceType, c10::DeviceIndex>;
  struct Entry {
    std::weak_ptr<const Catalog> catalog;
    std::shared_ptr<ResidentItems> items;
  };
  static std::mutex mutex;
  static std::map<Key, Entry> entries;
  const std::scoped_lock lock(mutex);
  // A catalog that is gone leaves the device, and its address may come again.
  std::erase_if(entries, [](const auto& entry) { return entry.second.catalog.expired(); });
  Entry& entry = entries[{&catalog, space, device.type(), device.index()}];
  if (entry.items == nullptr) {
    entry.catalog = catalog.weak_from_this();
    entry.items =
        std::make_shared<ResidentItems>(space, catalog.schema().spaces[space].dimensions, device);
  }
  return entry.items;
}

ResidentItems::ResidentItems(uint32_t space, uint32_t dimensions, c10::Device device)
    : space_(space), dimensions_(dimensions), device_(device) {
  grow(0);
}

bool ResidentItems::covers_chunk(const Snapshot& snapshot, uint32_t chunk) const {
  if (chunk >= brought_at_.size()) return false;
  const uint64_t brought = brought_at_[chunk];
  return snapshot.epoch() == brought ||
         snapshot.chunk(chunk).stamped() <= std::min(snapshot.epoch(), brought);
}

bool ResidentItems::covers(const Snapshot& snapshot) const {
  const std::shared_lock lock(mutex_);
  for (uint32_t c = 0; c < snapshot.chunk_count(); ++c) {
    if (!covers_chunk(snapshot, c)) return false;
  }
  return true;
}

void ResidentItems::synchronise(const Snapshot& snapshot) {
  const std::scoped_lock lock(mutex_);
  const uint32_t chunks = snapshot.chunk_count();
  if (int64_t{chunks} * Chunk::kRows > capacity_) {
    // Half as much again, so that a growing catalog is not copied with each chunk.
    grow((int64_t{chunks} + chunks / 2) * Chunk::kRows);
  }
  if (brought_at_.size() < chunks) {
    brought_at_.resize(chunks, 0);
    held_.resize(size_t{chunks} * Chunk::kRows, Chunk::kNever);
  }
  for (uint32_t c = 0; c < chunks; ++c) {
    if (covers_chunk(snapshot, c)) continue;
    bring(snapshot, c);
    brought_at_[c] = std::max(brought_at_[c], snapshot.epoch());
  }
}

void ResidentItems::grow(int64_t rows) {
  const auto on_device = at::TensorOptions().device(device_);
  const auto grown = [&](const at::Tensor& old, at::IntArrayRef shape, c10::ScalarType type) {
    at::Tensor made = at::empty(shape, on_device.dtype(type));
    if (capacity_ > 0) made.narrow(0, 0, capacity_).copy_(old);
    return made;
  };
  const int64_t width = dimensions_;
  columns_.units = grown(columns_.units, {rows, width}, at::kHalf);
  columns_.lengths = grown(columns_.lengths, {rows}, at::kDouble);
  columns_.publish_times = grown(columns_.publish_times, {rows}, at::kDouble);
  columns_.added = grown(columns_.added, {rows}, at::kLong);
  columns_.removed = grown(columns_.removed, {rows}, at::kLong);
  const int64_t fresh = rows - capacity_;
  if (fresh > 0) {
    columns_.units.narrow(0, capacity_, fresh).zero_();
    columns_.lengths.narrow(0, capacity_, fresh).zero_();
    columns_.publish_times.narrow(0, capacity_, fresh).zero_();
    columns_.added.narrow(0, capacity_, fresh).fill_(kNever);
    columns_.removed.narrow(0, capacity_, fresh).zero_();
  }
  capacity_ = rows;
}

void ResidentItems::bring(const Snapshot& snapshot, uint32_t chunk_index) {
  const Chunk& chunk = snapshot.chunk(chunk_index);
  const uint32_t first = chunk_index * Chunk::kRows;
  const uint32_t rows = std::min(Chunk::kRows, snapshot.row_count() - first);
  at::Tensor added = host_staging(device_, {Chunk::kRows}, at::kLong);
  at::Tensor removed = host_staging(device_, {Chunk::kRows}, at::kLong);
  std::vector<uint32_t> offsets;
  for (uint32_t i = 0; i < Chunk::kRows; ++i) {
    uint64_t& held = held_[first + i];
    // Rows that the snapshot does not see may be in the hands of a writer.
    const bool readable =
        i < rows && chunk.visible(i, snapshot.epoch()) && chunk.has_vector(space_, i);
    if (readable && held != chunk.added(i)) {
      offsets.push_back(i);
      held = chunk.added(i);
    }
    const bool current = held != Chunk::kNever && held == chunk.added(i);
    added.data_ptr<int64_t>()[i] = current ? as_signed(held) : kNever;
    removed.data_ptr<int64_t>()[i] = as_signed(chunk.removed(i));
  }
  const auto count = static_cast<int64_t>(offsets.size());
  if (count > 0) {
    at::Tensor units = host_staging(device_, {count, int64_t{dimensions_}}, at::kHalf);
    at::Tensor lengths = host_staging(device_, {count}, at::kDouble);
    at::Tensor times = host_staging(device_, {count}, at::kDouble);
    at::Tensor places = host_staging(device_, {count}, at::kLong);
    for (int64_t i = 0; i < count; ++i) {
      const uint32_t offset = offsets[static_cast<size_t>(i)];
      const float* vector = chunk.vector(space_, offset);
      const double length = std::sqrt(dot_product(vector, vector, dimensions_));
      auto* unit = units.data_ptr<c10::Half>() + i * dimensions_;
      for (uint32_t d = 0; d < dimensions_; ++d) {
        unit[d] = length > 0 ? static_cast<float>(double{vector[d]} / length) : 0.0F;
      }
      lengths.data_ptr<double>()[i] = length;
      times.data_ptr<double>()[i] = static_cast<double>(chunk.publish_time[offset]);
      places.data_ptr<int64_t>()[i] = int64_t{first} + offset;
    }
    const at::Tensor where = places.to(device_);
    columns_.units.index_copy_(0, where, units.to(device_));
    columns_.lengths.index_copy_(0, where, lengths.to(device_));
    columns_.publish_times.index_copy_(0, where, times.to(device_));
  }
  // Last, so that no scan of another stream sees a row before its vector.
  columns_.added.narrow(0, first, Chunk::kRows).copy_(added);
  columns_.removed.narrow(0, first, Chunk::kRows).copy_(removed);
}

}  // namespace feedrank
