// The hierarchical bitmap: level 0 has a bit per member, each level above a bit per word below that is not zero.
#include <troupe/actors/router/room_index.hpp>

#include <bit>

namespace troupe {

namespace {

constexpr std::uint64_t bit(std::uint32_t i) noexcept { return std::uint64_t{1} << (i % 64); }

} // namespace

void room_index::grow(std::uint32_t size) {
  auto words = size;
  for (auto& level : level_) {
    words = (words + 63) / 64;
    level.grow(words);
  }
  if (size > size_.load(std::memory_order_relaxed))
    size_.store(size, std::memory_order_release);
}

void room_index::set(std::uint32_t i) noexcept {
  for (auto& level : level_) {
    if (level[i / 64].fetch_or(bit(i)) != 0)
      return; // whoever made it non-zero sets the bits above
    i /= 64;
  }
}

bool room_index::clear(std::uint32_t i) noexcept {
  bool restored = false;
  for (std::uint32_t k = 0; k < levels; ++k, i /= 64) {
    auto& own = level_[k][i / 64];
    if (k == 0) {
      if ((own.fetch_and(~bit(i)) & ~bit(i)) != 0)
        return false;
      continue;
    }
    const bool last = (own.fetch_and(~bit(i)) & ~bit(i)) == 0;
    if (level_[k - 1][i].load() != 0) { // a bit below was set before its summary was cleared
      restored = true;
      for (auto up = k, at = i; up < levels; ++up, at /= 64)
        if (level_[up][at / 64].fetch_or(bit(at)) != 0)
          break;
      return restored;
    }
    if (!last)
      return restored;
  }
  return restored;
}

bool room_index::test(std::uint32_t i) const noexcept { return (level_[0][i / 64].load() & bit(i)) != 0; }

std::uint32_t room_index::next_from(std::uint32_t from) const noexcept {
  const auto size = size_.load(std::memory_order_acquire);
  std::uint32_t k = 0;
  auto at = from; // a bit of level k; everything before it is done with
  for (;;) {
    // Up until a word has a bit at or after `at`; a word's end is the start of its right neighbour.
    std::uint64_t found = 0;
    for (;; ++k) {
      if (k == levels || at >= (size + (std::uint64_t{1} << (6 * k)) - 1) >> (6 * k)) // bits of level k
        return none;
      found = level_[k][at / 64].load() & (~std::uint64_t{0} << (at % 64));
      if (found != 0)
        break;
      at = at / 64 + 1;
    }
    at = at / 64 * 64 + static_cast<std::uint32_t>(std::countr_zero(found));
    if (k == 0)
      return at;
    // Down by one; the word below may be empty by now, then the search goes on to its right.
    --k;
    at *= 64;
  }
}

std::uint32_t room_index::next(std::uint32_t from) const noexcept {
  const auto found = next_from(from);
  return found != none || from == 0 ? found : next_from(0);
}

} // namespace troupe
