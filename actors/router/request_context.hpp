// The envelope of one request as its handler sees it: number, deadline, stop token, tags.
#pragma once

#include <troupe/messages/request.hpp>

#include <caf/actor_clock.hpp>
#include <caf/intrusive_ptr.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace troupe {

class call_base;
void intrusive_ptr_add_ref(const call_base* x) noexcept;
void intrusive_ptr_release(const call_base* x) noexcept;
using call_ptr = caf::intrusive_ptr<call_base>;

/// Of the actor system's clock, virtual in simulation.
using time_point = caf::actor_clock::time_point;
inline constexpr time_point no_deadline = time_point::max();

/// Tells whether the caller still wants an answer. A value; keeps the request's memory alive; thread-safe.
class stop_token {
public:
  stop_token() = default;
  explicit stop_token(caf::intrusive_ptr<const call_base> call);
  ~stop_token();
  stop_token(const stop_token&);
  stop_token(stop_token&&) noexcept;
  stop_token& operator=(stop_token) noexcept;
  bool stop_requested() const noexcept;

private:
  caf::intrusive_ptr<const call_base> call_;
};

/// Lives in its call: valid while the handler runs, and with `promise` until the promise is answered or dropped.
/// Written before the request is sent, then immutable. What outlives the handler keeps a `token()`.
class request_context {
public:
  request_context() = default;
  request_context(const request_context&) = delete;
  request_context& operator=(const request_context&) = delete;
  ~request_context();

  std::uint64_t request_number = 0; ///< Unique in the runtime; inherited by calls made in the handler.
  time_point deadline = no_deadline;
  std::shared_ptr<const request_tags> tags; ///< Null when the request has none.

  bool has_deadline() const noexcept { return deadline != no_deadline; }
  /// The caller has its outcome (timeout, cancel), or the caller's own caller has: the work is in vain.
  bool stop_requested() const noexcept;
  stop_token token() const;

  std::string_view session_id() const noexcept {
    return tags ? std::string_view{tags->session_id} : std::string_view{};
  }
  std::string_view model_id() const noexcept { return tags ? std::string_view{tags->model_id} : std::string_view{}; }
  /// `[application/]name` of the deployment in whose handler the request was made; empty = it came from outside.
  std::string_view caller() const noexcept;
  /// The id from outside, else the number.
  std::string request_id() const;

private:
  friend class call_base;
  const call_base* owner_ = nullptr;
  caf::intrusive_ptr<const call_base> parent_; // the call whose handler made this one
};

} // namespace troupe
