// Replicas on the virtual clock, with an owner that writes down what they report.
#pragma once

#include "test_call.hpp"
#include <troupe/actors/replica/replica_actor.hpp>
#include <troupe/actors/router/router.hpp>
#include <troupe/app/deployment/make_code.hpp>
#include <troupe/messages/registry.hpp>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/send.hpp>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace troupe::replica_test {

using owner_api = replica_owner_actor::extend<takes<replica_stuck>>;

/// What an owner heard, in order: "started", "reconfigured 1 ok", "stopped asked", ...
struct heard {
  std::vector<std::string> facts;
  std::string text() const {
    std::string out;
    for (const auto& x : facts)
      out += (out.empty() ? "" : ", ") + x;
    return out;
  }
};

inline owner_api::behavior_type probe_owner(owner_api::pointer, std::shared_ptr<heard> log) {
  return {
      [log](const replica_started&) { log->facts.push_back("started"); },
      [log](const replica_reconfigured& x) {
        log->facts.push_back("reconfigured " + std::to_string(x.seq) + (x.ok ? " ok" : ": " + x.message));
      },
      [log](const replica_checked& x) {
        log->facts.push_back("checked " + std::to_string(x.seq) + (x.ok ? " ok" : ": " + x.message));
      },
      [log](const replica_stopped& x) {
        log->facts.push_back("stopped " + to_string(x.reason) + (x.message.empty() ? "" : ": " + x.message));
      },
      [log](const replica_stuck& x) { log->facts.push_back("stuck " + std::to_string(x.replica.id)); },
  };
}

struct simulated_config : caf::actor_system_config {
  simulated_config() {
    set("scheduler.policy", caf::atom("testing"));
    register_messages(*this);
  }
};

class replica_fixture {
public:
  replica_fixture() { log_->facts.reserve(16); }

  ~replica_fixture() {
    for (auto& r : replicas_)
      caf::anon_send_exit(r.second, caf::exit_reason::kill);
    run();
    for (auto& c : cells_)
      if (c->actor)
        calls_->release(*c);
    replicas_.clear();
    calls_->shut({errc::runtime_stopped, {}});
    caf::anon_send_exit(owner_, caf::exit_reason::kill);
    owner_ = nullptr;
    run();
  }

  void run() { sched.run(); }
  void advance(caf::timespan t) {
    sched.advance_time(t);
    sched.run();
  }

  /// Spawns one, lets it run and opens it to requests.
  replica_actor replica(std::shared_ptr<const code> user_code, json user_config = nullptr, json init_args = nullptr,
                        execution_mode mode = execution_mode::pool) {
    auto actor = spawn(std::move(user_code), std::move(user_config), std::move(init_args), mode);
    run();
    calls_->open(*cells_.back());
    return actor;
  }

  replica_actor spawn(std::shared_ptr<const code> user_code, json user_config = nullptr, json init_args = nullptr,
                      execution_mode mode = execution_mode::pool) {
    const auto id = ++ids_;
    auto& where = calls_->acquire({id, 0});
    auto actor = replica::spawn_replica(env, {.ref = {id, 0},
                                              .user_code = std::move(user_code),
                                              .init_args = json_doc{std::move(init_args)},
                                              .user_config = json_doc{std::move(user_config)},
                                              .calls = calls_,
                                              .where = &where,
                                              .owner = owner_,
                                              .execution = mode,
                                              .deployment = watched});
    where.actor = caf::actor_cast<caf::strong_actor_ptr>(actor);
    cells_.push_back(&where);
    replicas_.emplace(id, actor);
    return actor;
  }

  caf::intrusive_ptr<ping_call> call(int value = 0) {
    auto c = caf::make_counted<ping_call>(ping{value});
    submit(c);
    return c;
  }

  void submit(call_ptr c, caf::execution_unit* unit = nullptr) { router::submit(calls_, std::move(c), unit); }

  template <class Message>
  void tell(const replica_actor& dest, Message msg) {
    control::post(*env, nullptr, dest, std::move(msg));
    run();
  }

  std::string facts() const { return log_->text(); }
  router& calls() { return *calls_; }
  cell& where(std::size_t i = 0) { return *cells_[i]; }

  simulated_config cfg;
  caf::actor_system sys{cfg};
  caf::scheduler::test_coordinator& sched = dynamic_cast<caf::scheduler::test_coordinator&>(sys.scheduler());
  std::shared_ptr<control::environment> env = control::make_simulated_environment(sys, 1);
  std::shared_ptr<control::watched_deployment> watched = [] {
    auto x = std::make_shared<control::watched_deployment>();
    x->name = "echo";
    return x;
  }();

private:
  std::shared_ptr<heard> log_ = std::make_shared<heard>();
  replica_owner_actor owner_ = sys.spawn(probe_owner, log_);
  std::shared_ptr<router> calls_ = router::make(sys, {.name = "echo", .limits = {.max_ongoing = 8}});
  std::vector<cell*> cells_;
  std::map<std::uint64_t, replica_actor> replicas_;
  std::uint64_t ids_ = 0;
};

} // namespace troupe::replica_test
