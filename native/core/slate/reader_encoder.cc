#include "slate/reader_encoder.h"

#include <algorithm>

#include "features/recent_reads.h"

namespace feedrank {

UserVectors encode_reader(const ReaderEncoder& encoder, const FeatureAssembler::Inputs& inputs) {
  const UserTower::Shape& shape = encoder.tower->shape();
  UserTowerInput input = encoder.tower->empty_input();
  const std::vector<RecentRead> reads =
      recent_reads(inputs.snapshot, inputs.engagement,
                   {inputs.user, inputs.current_item, inputs.now, shape.max_reads, encoder.space});
  for (size_t r = 0; r < reads.size(); ++r) {
    const Row row = reads[r].row;
    const float* vector =
        inputs.snapshot.chunk_of(row).vector(encoder.space, Snapshot::offset_of(row));
    std::copy_n(vector, shape.dimensions,
                input.reads.begin() + static_cast<ptrdiff_t>(r * shape.dimensions));
    input.hours[r] = reads[r].hours;
    input.present[r] = 1.0F;
  }
  for (size_t c = 0; c < encoder.context.size(); ++c) {
    input.context[c] = static_cast<float>(inputs.context[encoder.context[c]]);
  }
  return {encoder.space, shape.dimensions, encoder.tower->forward(input)};
}

}  // namespace feedrank
