// Why a command or a request failed. (Why an actor ended is `stop_reason` in replica.hpp.)
#pragma once

#include <caf/error.hpp>
#include <caf/make_message.hpp> // CAF_ERROR_CODE_ENUM needs the complete type

#include <cstdint>
#include <string>

namespace troupe {

/// Travels and is stored: explicit values, never renumber.
enum class errc : std::uint8_t {
  none = 0,
  /// A deployment spec has bad fields; the message lists each with path, value and what is allowed. Correct and retry.
  invalid_spec = 1,
  /// No deployment has this name. Deploy it first, or check `[application/]name`.
  unknown_deployment = 2,
  /// The command is not possible in the present state; the message says why. Nothing was changed.
  rejected = 3,
  /// The deployment is deleted, or failed with no replica available. Deploy or restart it.
  unavailable = 4,
  /// The queue is full (`max_queued_requests`). Try again later.
  backpressure = 5,
  /// The request's deadline passed before there was an answer.
  timed_out = 6,
  /// The caller cancelled the request.
  cancelled = 7,
  /// The replica that had begun the request died, or was given up. Retry if that is safe.
  replica_died = 8,
  /// The handler threw; the message is its `what()`.
  handler_failed = 9,
  /// The handler took a promise and dropped it without an answer.
  promise_dropped = 10,
  /// The deployment has no call operator with this signature.
  signature_mismatch = 11,
  /// The runtime is shutting down or gone.
  runtime_stopped = 12,
  /// The actor system lacks troupe's message types; call `troupe::register_messages(config)` before it is made.
  not_registered = 13,
  /// The change is not on disk, the message says why (disk full, read-only). It may not survive a restart.
  not_stored = 14,
};

/// The enumerator's name, or "unknown(N)".
std::string to_string(errc code);
constexpr errc last_enumerator(errc) { return errc::not_stored; }

/// What went wrong with one command or request. A value: copyable, no identity.
struct error {
  errc code = errc::none;
  std::string message; ///< Names the thing concerned; text for people.
  friend bool operator==(const error&, const error&) = default;
};

/// "code: message".
std::string to_string(const error& x);

} // namespace troupe

CAF_ERROR_CODE_ENUM(troupe::errc, "troupe")

namespace troupe {

/// `e` as CAF carries it between actors, and back. A CAF error of another category becomes `unavailable` with its text.
caf::error to_caf(const error& e);
/// `none` stands for no error both ways.
error from_caf(const caf::error& e, const caf::actor_system& sys);

} // namespace troupe
