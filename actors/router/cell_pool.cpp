// Hands out cells and takes them back.
#include <troupe/actors/router/cell_pool.hpp>

namespace troupe {

cell_pool::~cell_pool() {
  for (std::uint32_t i = 0; i < chunks_.size(); ++i)
    delete[] chunks_[i];
}

cell& cell_pool::take(router& owner, replica_ref who, bool near) {
  auto index = free_.next(0);
  if (index == room_index::none) {
    index = limit_;
    const auto chunk = index / cells_per_chunk;
    chunks_.grow(chunk + 1);
    if (!chunks_[chunk])
      chunks_[chunk] = new cell[cells_per_chunk];
    free_.grow(index + 1);
    limit_ = index + 1;
  } else {
    free_.clear(index);
  }
  auto& result = at(index);
  result.router_ = &owner;
  result.index_ = index;
  result.reset(who, near);
  return result;
}

void cell_pool::give(cell& where) noexcept { free_.set(where.index_); }

} // namespace troupe
