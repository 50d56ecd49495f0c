// Which replica a session belongs to, so that few sessions move when replicas come and go.
#pragma once

#include <troupe/actors/router/chunked.hpp>

#include <atomic>
#include <cstdint>

namespace troupe {

/// The open cells, by index, at dense places 0 .. n-1, and a consistent hash from keys to places (Lamping and Veach, "A
/// Fast, Minimal Memory, Consistent Hash Algorithm", 2014). Of 1000 sessions on 10 replicas:
///   an 11th comes            about 91 move, all of them to it
///   the one added last goes  only its own move
///   another one goes         its own move to the one added last, and that one's to all others: about 200
///   one comes, another goes (a replacement in a rollout)  only those of the one that went move, all to the one that
///   came
/// `choose` is thread-safe and lock-free; the rest is guarded by the owner.
class session_table {
public:
  static constexpr std::uint32_t none = ~std::uint32_t{0};

  void grow(std::uint32_t size); ///< Before indices below `size` are used.
  void add(std::uint32_t index);
  void remove(std::uint32_t index); ///< Precondition: added.

  /// O(log of their number). `none` when there are none; one that is being removed may still be named.
  std::uint32_t choose(std::uint64_t key) const noexcept;

private:
  chunked<std::atomic<std::uint32_t>> index_at_; // by place
  chunked<std::uint32_t> place_of_;              // by index
  std::atomic<std::uint32_t> size_{0};
};

} // namespace troupe
