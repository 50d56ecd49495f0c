// Which handler of which replica runs on this thread, so that its promise can find it. (For whom calls are made that a
// handler makes is `call_scope`.)
#pragma once

#include <troupe/actors/router/request_context.hpp>

#include <memory>

namespace troupe {

/// How a promise reaches its replica after the handler has returned, also when the replica has ended. One per replica,
/// made with its first promise. Thread-safe.
class promise_link {
public:
  virtual ~promise_link() = default;
  /// A promise has ended its attempt: wakes a replica that waits for that.
  virtual void attempt_ended() noexcept = 0;
};

/// Gives access to the running replica. Only used on the thread that runs its user code.
class replica_host {
public:
  virtual std::shared_ptr<promise_link> link() = 0;

protected:
  ~replica_host() = default;
};

/// One run of a handler, on the stack of its thread.
struct handler_frame {
  replica_host* host = nullptr;
  const call_base* call = nullptr; ///< That is handled.
  bool has_promise = false;        ///< A promise was made of `call`: it ends the attempt, unless:
  bool promise_dropped = false;    ///< it was dropped without an answer before the handler returned.
  handler_frame* outer = nullptr;  ///< Of an inlined replica that was called from a handler on the same thread.
};

/// The frame of the handler of `call` if it runs on this thread, else null.
handler_frame* frame_of(const call_base& call) noexcept;

/// Makes `frame` known for its own lifetime.
class frame_scope {
public:
  explicit frame_scope(handler_frame& frame) noexcept;
  frame_scope(const frame_scope&) = delete;
  frame_scope& operator=(const frame_scope&) = delete;
  ~frame_scope();
};

} // namespace troupe
