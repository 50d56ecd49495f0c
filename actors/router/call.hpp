// One request from acceptance to its single outcome: one allocation that holds request, context, answer, continuation.
//
//               place                 begin                answer, refuse
//   [waiting] --------> [placed] ---------------> [begun] --------------> [finished]
//       ^                  |                         |                         ^
//       +------------------+  close(cell)            |                         |
//       +--------------------------------------------+  abandon, idempotent; refused elsewhere, not begun there
//       any phase but the last: fail (timeout, cancel, replica died, refused) -+
//
// All arrows are compare-and-swaps on one word that also counts the attempts: whoever moves it to `finished` delivers.
#pragma once

#include <troupe/actors/router/request_context.hpp>
#include <troupe/actors/router/result.hpp>
#include <troupe/actors/router/signature.hpp>
#include <troupe/actors/router/wire_form.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace troupe {

class cell;
class router;

/// How often a request has been begun, 1 for the first time. Names the attempt that an answer belongs to: what a
/// replica that was given up still says counts for nothing once the request has gone elsewhere.
using attempt_number = std::uint8_t;

/// Intrusive, reference counted, thread-safe where said. A replica holds one reference from `cell::next` until it ends
/// the attempt with `answer` or `refuse`.
class call_base {
public:
  call_base(const call_base&) = delete;
  call_base& operator=(const call_base&) = delete;
  virtual ~call_base();

  const signature_key key;
  request_context ctx;
  std::uint64_t arrival = 0; ///< Order of acceptance in its router.

  /// `[application/]name` of the deployment that it was sent to; empty before.
  std::string_view deployment() const noexcept;

  /// The attempt that runs. The replica reads it right after `cell::next` and hands it back with the outcome.
  attempt_number attempts() const noexcept;

  /// The outcome is delivered or about to be. Begun and done, before its attempt has ended, is "overdue". Thread-safe.
  bool done() const noexcept;
  /// Done by timeout, cancel or death, or its own caller is: what a handler polls. Thread-safe.
  bool stop_requested() const noexcept;

  /// Any phase -> done with an error; false when the outcome was there already. Does not end an attempt: a begun call
  /// keeps its slot until `answer` or `refuse`. Thread-safe; must not be called from inside the router.
  bool fail(error why);
  bool fail(errc code); ///< With the text that the router has for it.

  /// Before it is sent: what it inherits from the call in whose handler it is made. Null: nothing.
  void inherit(const call_base* parent);
  /// The call in whose handler it was made, or null.
  call_base* parent() const noexcept { return const_cast<call_base*>(ctx.parent_.get()); }

  // -- for a replica whose user code runs in another process; of the attempt that runs

  /// The request as bytes; nothing when its type cannot travel (it has no `inspect`).
  virtual std::optional<std::string> write_request() const = 0;
  /// As `typed_call::answer`, with an answer that `wire_call` wrote; one that does not read is a failure.
  virtual void answer_from(attempt_number which, std::string_view bytes) = 0;

  /// Ends attempt `which` without an answer: the handler threw, or its promise was dropped. Releases the slot; the
  /// error counts only if the outcome is still open. Exactly once per attempt, or else `answer`. Thread-safe.
  void refuse(attempt_number which, error why);

protected:
  /// `repeatable`: the request can be copied, so that a second attempt finds it whole.
  call_base(signature_key k, bool repeatable) noexcept;
  /// Ends attempt `which` at its cell: releases the slot. Returns whether the attempt's outcome counts; if so the phase
  /// is done, and the caller stores the outcome and calls `finish_delivery`.
  bool end_attempt(attempt_number which) noexcept;
  void finish_delivery() noexcept; ///< Leaves the wheel, then `deliver`.

  /// The request must stay whole: it may be begun again.
  bool may_begin_again() const noexcept { return may_begin_again_; }

private:
  friend class cell;
  friend class router;
  friend class wheel;
  friend class waiting_queue;
  friend class completion_sink;
  friend void intrusive_ptr_add_ref(const call_base* x) noexcept;
  friend void intrusive_ptr_release(const call_base* x) noexcept;
  template <class>
  friend class typed_call;

  enum phase : std::uint32_t { waiting = 0, placed = 1, begun = 2, finished = 3 };
  static constexpr std::uint32_t phase_mask = 3, stopped = 4, one_attempt = 0x100; // the other parts of `state_`
  static phase phase_in(std::uint32_t state) noexcept { return static_cast<phase>(state & phase_mask); }
  static attempt_number attempt_in(std::uint32_t state) noexcept { return static_cast<attempt_number>(state >> 8); }

  virtual void store(error why) noexcept = 0;
  /// Hands the outcome to the caller; runs on the thread that completed it. Takes a reference of its own if it needs
  /// one.
  virtual void deliver() noexcept = 0;
  /// Runs the continuation, where that is a caller actor's task (completion_sink).
  virtual void resume_caller(caf::scheduled_actor&) {}

  bool move(phase from, phase to) noexcept; // the attempt is kept; false when it is not in `from`
  bool try_begin() noexcept;                // placed -> begun, one more attempt
  bool unbegin() noexcept;                  // begun -> waiting, and that attempt never was

  mutable std::atomic<std::uint32_t> references_{1};
  std::atomic<std::uint32_t> state_{waiting};
  std::atomic<cell*> cell_{nullptr}; // where it has a slot: placed, or begun and not ended
  const bool repeatable_;
  bool may_begin_again_ = false; // written before it is sent
  bool in_queue_ = false;        // of the waiting queue; under the router's mutex
  bool in_begun_ = false;        // of the begun ones of `cell_`; under that cell's lock
  bool overdue_ = false;         // likewise
  bool in_wheel_ = false;        // under its wheel slot's lock
  call_base* next_ = nullptr;    // waiting queue, inbox or list of the begun ones
  call_base* prev_ = nullptr;
  call_base* sink_next_ = nullptr;
  call_base* wheel_next_ = nullptr;
  call_base* wheel_prev_ = nullptr;
  std::shared_ptr<router> router_;
};

/// A call whose types are known; still without a way to deliver.
template <class Signature>
class typed_call : public call_base {
public:
  using request_type = request_of<Signature>;
  using response_type = response_of<Signature>;

  /// What the caller sent. Of the attempt that runs; stays valid as long as the call, unless taken.
  const request_type& request() const noexcept { return request_; }

  /// For handlers that take their request by value: moved out, or copied when it may have to be begun again.
  request_type take_request() {
    if constexpr (std::is_copy_constructible_v<request_type>) {
      if (may_begin_again())
        return request_;
    }
    return std::move(request_);
  }

  /// Ends attempt `which` with an answer: releases the slot, then delivers unless the outcome is there already.
  /// Exactly once per attempt, or else `refuse`. Thread-safe.
  void answer(attempt_number which, response_type value) {
    if (!end_attempt(which))
      return;
    outcome_.emplace(std::move(value));
    finish_delivery();
  }

  std::optional<std::string> write_request() const final { return wire::write(request_); }
  void answer_from(attempt_number which, std::string_view bytes) final {
    if (auto value = wire::read<response_type>(bytes))
      answer(which, std::move(*value));
    else
      refuse(which, error{errc::handler_failed, "the answer cannot be read"});
  }

protected:
  explicit typed_call(request_type request)
      : call_base(key_of<Signature>, std::is_copy_constructible_v<request_type>), request_(std::move(request)) {}
  result<response_type>& outcome() noexcept { return *outcome_; } // of a delivered call

private:
  void store(error why) noexcept final { outcome_.emplace(std::move(why)); }

  request_type request_;
  std::optional<result<response_type>> outcome_;
};

/// Lets a caller give up its request. A value; may outlive everything else.
class call_token {
public:
  call_token() = default;
  explicit call_token(call_ptr call) noexcept : call_(std::move(call)) {}
  /// The caller gets `cancelled` unless the outcome is there already; true when it does. Thread-safe.
  bool cancel() { return call_ && call_->fail(errc::cancelled); }
  bool done() const noexcept { return !call_ || call_->done(); }

private:
  call_ptr call_;
};

} // namespace troupe
