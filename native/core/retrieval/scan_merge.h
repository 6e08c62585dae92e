#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "retrieval/scan_segment.h"

namespace feedrank {

/// Segments on their way to become one, some items at a time, so that no write waits for all of
/// them. Readers scan the sources until it is done, so what becomes of an item that has been moved
/// is noted where it was, too.
class ScanMerge {
 public:
  using Segments = std::vector<std::shared_ptr<ScanSegment>>;

  /// Asks for all memory that the merge needs.
  ScanMerge(Segments sources, uint32_t dimensions);

  ScanMerge(const ScanMerge&) = delete;
  ScanMerge& operator=(const ScanMerge&) = delete;

  /// Takes about `most` of the sources' items, newest first, and says how many. The living are
  /// moved to `made()`, the removed stay behind.
  uint32_t move(uint32_t most);

  bool done() const { return done_; }
  const Segments& sources() const { return sources_; }
  const std::shared_ptr<ScanSegment>& made() const { return made_; }

  /// What becomes of a moved item, by its position in `made()`, where it was before.
  void note_removed(uint32_t position);
  void note_reused(uint32_t position);

  size_t bytes() const;

 private:
  struct Origin {
    ScanSegment* segment = nullptr;
    uint32_t position = 0;
  };

  /// Passes over what has been removed.
  void seek(size_t source);

  const Segments sources_;
  std::shared_ptr<ScanSegment> made_;
  std::vector<uint32_t> next_;   // [source], a position
  std::vector<Origin> origins_;  // [position]
  bool done_ = false;
};

}  // namespace feedrank
