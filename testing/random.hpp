// Seeded chance for simulations: the same on every machine, unlike the distributions of <random>.
#pragma once

#include <chrono>
#include <cstdint>

namespace troupe::testing {

/// One stream of random bits (splitmix64; Steele, Lea, Flood 2014). A value.
class random_source {
public:
  explicit random_source(std::uint64_t seed = 0) : state_(seed) {}

  std::uint64_t next() noexcept {
    auto z = (state_ += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
  }
  /// Below `n`; 0 for 0.
  std::uint32_t below(std::uint32_t n) noexcept {
    return static_cast<std::uint32_t>(((next() & 0xffffffffU) * n) >> 32);
  }
  /// From `low` to `high`, both included.
  std::uint32_t between(std::uint32_t low, std::uint32_t high) noexcept { return low + below(high - low + 1); }
  bool one_in(std::uint32_t n) noexcept { return below(n) == 0; }
  /// True in `n` of 1000 cases.
  bool per_mille(std::uint32_t n) noexcept { return below(1000) < n; }
  /// Between nothing and `most`, in steps of a millisecond.
  std::chrono::milliseconds up_to(std::chrono::milliseconds most) noexcept {
    return std::chrono::milliseconds{below(static_cast<std::uint32_t>(most.count()) + 1)};
  }

private:
  std::uint64_t state_;
};

} // namespace troupe::testing
