// Where the outcomes of an actor's requests gather until its next turn: one wake-up for many, no handler per request.
#pragma once

#include <troupe/actors/router/call.hpp>

#include <caf/actor_control_block.hpp>
#include <caf/fwd.hpp>
#include <caf/message_id.hpp>

#include <atomic>
#include <cstdint>
#include <utility>

namespace caf::detail {
class behavior_impl;
}

namespace troupe {

/// One per handle and actor that uses it. While outcomes are outstanding the actor has one response handler registered,
/// which keeps the actor alive as a pending CAF request does; the wake-up is that handler's response message. When the
/// actor quits, CAF drops the handler and the sink closes: outcomes that come later are freed by whoever brings them.
/// `expect` and `uses` belong to the actor's thread, `push` to any.
class completion_sink {
public:
  explicit completion_sink(caf::scheduled_actor& self);
  completion_sink(const completion_sink&) = delete;
  completion_sink& operator=(const completion_sink&) = delete;

  bool uses(const caf::scheduled_actor& self) const noexcept;
  /// One more outcome will be pushed, exactly one.
  void expect(caf::scheduled_actor& self);
  /// Takes a reference on `call`; its continuation runs in the actor's context, or is freed.
  void push(call_base& call) noexcept;

private:
  friend class sink_ref;
  class registration;

  ~completion_sink() = default;
  void drain(caf::scheduled_actor& self);
  void enlist(caf::scheduled_actor& self);
  void close() noexcept;
  static void wake(const caf::strong_actor_ptr& owner, caf::message_id answer, caf::execution_unit* unit);
  void release() noexcept;

  static call_base* idle() noexcept;
  static call_base* shut() noexcept;

  const caf::weak_actor_ptr owner_;
  const caf::scheduled_actor* const self_; // to compare, with the id
  const caf::message_id answer_;           // of every wake-up
  std::atomic<call_base*> head_;           // newest first; null: empty and the actor is draining
  // The owners, and once closed the outcomes still to come.
  std::atomic<std::int64_t> references_{1};
  // The actor's own.
  std::uint64_t expected_ = 0;
  std::uint64_t drained_ = 0;
  bool enlisted_ = false;                         // or draining
  caf::detail::behavior_impl* handler_ = nullptr; // while enlisted
  bool closed_ = false;
};

/// Owns one reference. Confined to the actor that the sink is for.
class sink_ref {
public:
  sink_ref() = default;
  explicit sink_ref(completion_sink* own) noexcept : sink_(own) {} ///< Takes over the one it was made with.
  sink_ref(const sink_ref&) = delete;
  sink_ref(sink_ref&& other) noexcept : sink_(std::exchange(other.sink_, nullptr)) {}
  sink_ref& operator=(sink_ref&& other) noexcept {
    std::swap(sink_, other.sink_);
    return *this;
  }
  ~sink_ref() {
    if (sink_)
      sink_->release();
  }
  completion_sink* get() const noexcept { return sink_; }
  completion_sink* operator->() const noexcept { return sink_; }

private:
  completion_sink* sink_ = nullptr;
};

} // namespace troupe
