// Cells at fixed indices in chunks that are never moved or freed; the lowest free index goes first.
#pragma once

#include <troupe/actors/router/cell.hpp>
#include <troupe/actors/router/chunked.hpp>
#include <troupe/actors/router/room_index.hpp>

#include <cstdint>
#include <memory>

namespace troupe {

/// `at` is thread-safe for indices that were handed out; the rest is guarded by the router's mutex.
class cell_pool {
public:
  cell_pool() = default;
  ~cell_pool();

  cell& at(std::uint32_t index) const noexcept { return chunks_[index / cells_per_chunk][index % cells_per_chunk]; }
  cell& take(router& owner, replica_ref who, bool near);
  void give(cell& where) noexcept;
  std::uint32_t limit() const noexcept { return limit_; } ///< All cells ever handed out lie below.

private:
  static constexpr std::uint32_t cells_per_chunk = 16;
  chunked<cell*> chunks_;
  room_index free_;
  std::uint32_t limit_ = 0;
};

} // namespace troupe
