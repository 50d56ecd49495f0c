// A set of small integers as a hierarchical bitmap: which replicas have room.
#pragma once

#include <troupe/actors/router/chunked.hpp>

#include <array>
#include <atomic>
#include <cstdint>

namespace troupe {

/// Capacity 64^4. `set`, `clear`, `next` are lock-free and thread-safe for indices below the grown size, in O(levels).
/// A bit that is set concurrently may be missed by `next`; see the return value of `clear` for who must look again.
class room_index {
public:
  static constexpr std::uint32_t none = ~std::uint32_t{0};

  /// Guarded by the owner; before indices below `size` are used.
  void grow(std::uint32_t size);
  void set(std::uint32_t i) noexcept;
  /// True when a summary bit had to be set again because another bit below it was set meanwhile: between the two,
  /// `next` may have found nothing, so whoever relies on finding everything must look again.
  bool clear(std::uint32_t i) noexcept;
  bool test(std::uint32_t i) const noexcept;
  /// The first member at or after `from`, going on from 0 after the last; `none` when empty.
  std::uint32_t next(std::uint32_t from) const noexcept;

private:
  static constexpr std::uint32_t levels = 4;
  using word = std::atomic<std::uint64_t>;

  std::uint32_t next_from(std::uint32_t from) const noexcept;

  std::array<chunked<word>, levels> level_;
  std::atomic<std::uint32_t> size_{0};
};

} // namespace troupe
