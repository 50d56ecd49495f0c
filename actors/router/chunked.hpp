// A growing array whose elements never move: chunk k has 2^(k-1) of them, chunk 0 has one.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace troupe {

/// Growing is guarded by the owner; reading is thread-safe for indices whose growth happened before. T is
/// value-initialised.
template <class T>
class chunked {
public:
  static constexpr std::uint32_t max_size = std::uint32_t{1} << 24;

  chunked() = default;
  chunked(const chunked&) = delete;
  chunked& operator=(const chunked&) = delete;
  ~chunked() {
    for (auto& chunk : chunks_)
      delete[] chunk.load(std::memory_order_relaxed);
  }

  T& operator[](std::uint32_t i) const noexcept {
    const auto k = static_cast<std::uint32_t>(std::bit_width(i)); // 0 -> 0, 1 -> 1, 2..3 -> 2, 4..7 -> 3
    const auto first = k == 0 ? 0U : std::uint32_t{1} << (k - 1);
    return chunks_[k].load(std::memory_order_acquire)[i - first];
  }

  /// Makes indices below `size` usable. Precondition: size <= max_size.
  void grow(std::uint32_t size) {
    for (; size_ < size; size_ = size_ == 0 ? 1 : size_ * 2) {
      const auto k = static_cast<std::size_t>(std::bit_width(size_));
      chunks_[k].store(new T[size_ == 0 ? 1 : size_]{}, std::memory_order_release);
    }
  }
  std::uint32_t size() const noexcept { return size_; }

private:
  std::array<std::atomic<T*>, 25> chunks_{};
  std::uint32_t size_ = 0;
};

} // namespace troupe
