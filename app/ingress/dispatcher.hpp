// Private to app/ingress/: what an ingress does with requests, on one I/O thread.
#pragma once

#include <troupe/actors/router/call_scope.hpp>
#include <troupe/app/http/thread_handler.hpp>
#include <troupe/app/ingress/shared_state.hpp>
#include <troupe/app/ingress/thread_unit.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <unordered_map>

namespace troupe::ingress {

/// Confined to its thread.
class dispatcher final : public http::thread_handler {
public:
  dispatcher(shared_state& shared, std::shared_ptr<thread_counters> counters);

  void on_request(troupe::request&& x, http::responder to) override;
  bool after_turn() override { return unit_.run(); }

private:
  void look_at_routes();
  void answer_own(const troupe::request& x, http::responder& to);
  void answer_not_found(const troupe::request& x, http::responder& to);
  void send(const troupe::request& x, http::responder& to, troupe::response&& answer);

  shared_state& shared_;
  std::shared_ptr<thread_counters> counters_;
  thread_unit unit_;
  enter_scope scope_; // what is woken from this thread may run on it
  std::uint64_t version_ = 0;
  std::shared_ptr<const route_table> routes_;
  std::unordered_map<const route*, deployment_counters*> counters_of_;
  std::uint64_t next_number_; // of requests that bring no id
};

} // namespace troupe::ingress
