// Dense places with the last one filling holes, and the jump hash over them.
#include <troupe/actors/router/session_table.hpp>

namespace troupe {

namespace {

std::uint32_t jump_hash(std::uint64_t key, std::uint32_t places) noexcept {
  std::int64_t at = 0;
  for (std::int64_t next = 0; next < std::int64_t{places};) {
    at = next;
    key = key * 2862933555777941757U + 1;
    constexpr double scale = std::int64_t{1} << 31;
    next = static_cast<std::int64_t>(static_cast<double>(at + 1) * (scale / static_cast<double>((key >> 33) + 1)));
  }
  return static_cast<std::uint32_t>(at);
}

} // namespace

void session_table::grow(std::uint32_t size) {
  index_at_.grow(size);
  place_of_.grow(size);
}

void session_table::add(std::uint32_t index) {
  const auto place = size_.load(std::memory_order_relaxed);
  index_at_[place].store(index, std::memory_order_relaxed);
  place_of_[index] = place;
  size_.store(place + 1, std::memory_order_release);
}

void session_table::remove(std::uint32_t index) {
  const auto last = size_.load(std::memory_order_relaxed) - 1;
  const auto moved = index_at_[last].load(std::memory_order_relaxed);
  const auto place = place_of_[index];
  index_at_[place].store(moved, std::memory_order_relaxed);
  place_of_[moved] = place;
  size_.store(last, std::memory_order_release); // a reader of the old size finds the moved one at its old place
}

std::uint32_t session_table::choose(std::uint64_t key) const noexcept {
  const auto size = size_.load(std::memory_order_acquire);
  return size == 0 ? none : index_at_[jump_hash(key, size)].load(std::memory_order_relaxed);
}

} // namespace troupe
