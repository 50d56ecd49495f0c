// Bounds how many config updates are under way at once: a hundred thousand cold messages at once cost more than a few
// thousand that are answered while they are still in the cache.
#pragma once

#include <troupe/actors/control/post.hpp>
#include <troupe/actors/deployment_state/machine.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace troupe::deployment_state {

/// First in, first out; a value, confined to its actor. It never holds an update back for long: a replica may end its
/// requests first, or die, so after `patience` without an answer those under way count no more.
class update_pacer {
public:
  static constexpr std::uint32_t window = 1000; ///< Updates under way.
  static constexpr std::chrono::milliseconds patience{5};

  void push(effect::update&& x) { waiting_.push_back(std::move(x)); }
  bool may_send() const noexcept { return any_waits() && under_way_ < window; }

  /// Precondition: one waits. It counts as under way.
  effect::update pop() {
    auto x = std::move(waiting_[next_]);
    if (++next_ == waiting_.size()) {
      waiting_ = {};
      next_ = 0;
    }
    ++under_way_;
    return x;
  }
  void skipped() noexcept { --under_way_; } ///< The last `pop` went nowhere.

  /// One was answered; whether more are to be sent.
  bool answered() noexcept {
    progress_ = true;
    if (under_way_ > 0)
      --under_way_;
    return any_waits() && under_way_ <= window / 2; // in bulk: each single one would wake a thread
  }

  /// The epoch of the tick to arm, if one is due: some wait, and none is armed.
  std::optional<std::uint64_t> arm() noexcept {
    if (!any_waits() || tick_.armed())
      return std::nullopt;
    progress_ = false;
    return tick_.arm();
  }

  /// The tick came: whether to look again.
  bool stalled(std::uint64_t epoch) noexcept {
    if (!tick_.take(epoch))
      return false;
    if (!progress_)
      under_way_ = 0;
    return true;
  }

private:
  bool any_waits() const noexcept { return !waiting_.empty(); }

  std::vector<effect::update> waiting_; ///< From `next_` on; the memory is given back when the last one has gone.
  std::size_t next_ = 0;
  std::uint32_t under_way_ = 0;
  bool progress_ = false;
  control::tick_epoch tick_;
};

} // namespace troupe::deployment_state
