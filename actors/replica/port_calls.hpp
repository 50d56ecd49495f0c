// Requests on their way to a replica in another process: from its cell here to its port there, and their outcomes back.
#pragma once

#include <troupe/actors/router/router.hpp>
#include <troupe/messages/error.hpp>
#include <troupe/messages/worker.hpp>

#include <caf/fwd.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

namespace troupe::replica {

/// Confined to the actor that the cell wakes. A request counts as begun when it is sent, until the port refuses it.
class port_calls {
public:
  port_calls(std::shared_ptr<router> calls, cell& where);

  /// Life: open, then the others.
  void open(replica_port_actor port, const port_caller_actor& me);
  bool is_open() const noexcept { return port_ != nullptr; }

  /// Sends what the router has put into the cell, up to 64; true when there may be more.
  bool send(caf::execution_unit* unit);
  /// `shown` makes of an error's text what may be shown.
  template <class F>
  void answered(worker_answers& x, F shown) {
    for (auto& a : x.answers)
      finish(a.id, static_cast<errc>(a.code), std::move(a.content), shown);
    note_running();
  }
  void refused(const calls_refused& x);
  /// The port has room again.
  void on_room(caf::execution_unit* unit);
  void pass_room(caf::execution_unit* unit);
  /// The replica is to stop: what was sent and has not begun there comes back. For its owner.
  void close_intake(caf::execution_unit* unit);
  /// What had begun ends by this death, or is tried again.
  void abandon(bool may_repeat);
  /// Lets go of router and port.
  void forget();

private:
  struct begun_call {
    call_ptr call;
    attempt_number attempt = 0;
  };

  template <class F>
  void finish(std::uint64_t id, errc code, std::string&& content, F& shown) {
    const auto it = begun_.find(id);
    if (it == begun_.end())
      return;
    const auto which = std::move(it->second);
    begun_.erase(it);
    if (code == errc::none)
      which.call->answer_from(which.attempt, content);
    else if (code == errc::replica_died)
      calls_->lose(*cell_, {which.call, which.attempt});
    else
      which.call->refuse(which.attempt, error{code, shown(std::move(content))});
  }
  void begin(call_ptr call, worker_calls& out);
  void note_running();
  template <class T>
  void send_to_port(T&& x, caf::execution_unit* unit);

  std::shared_ptr<router> calls_;
  cell* cell_;
  replica_port_actor port_;
  const std::uint64_t from_;
  std::unordered_map<std::uint64_t, begun_call> begun_;
  std::uint64_t last_id_ = 0;
};

} // namespace troupe::replica
