// Private to app/runtime/: what a runtime consists of, how it asks its controller, how it ends.
#pragma once

#include <troupe/actors/control/control_thread.hpp>
#include <troupe/actors/control/environment.hpp>
#include <troupe/actors/controller/directory.hpp>
#include <troupe/app/runtime/call_graph.hpp>
#include <troupe/app/runtime/event_hub.hpp>
#include <troupe/app/runtime/runtime.hpp>
#include <troupe/messages/error.hpp>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/sec.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

namespace troupe {

struct runtime::core {
  /// Without a host it makes an actor system of its own.
  core(caf::actor_system* host, runtime_options options);

  /// See ~runtime.
  void shut_down() noexcept;

  /// Blocks until the controller, or who it hands the message on to, has answered or is gone.
  template <class Answer, class Message>
  result<Answer> ask(Message msg) const {
    refuse_on_control_thread();
    caf::scoped_actor self{system, true};
    std::optional<result<Answer>> out;
    self->request(controller, caf::infinite, std::move(msg))
        .receive([&](Answer& x) { out.emplace(std::move(x)); }, [&](caf::error& e) { out.emplace(explained(e)); });
    return std::move(*out);
  }

  /// As `ask`; throws the error.
  template <class Answer, class Message>
  Answer demand(Message msg) const {
    auto answer = ask<Answer>(std::move(msg));
    if (!answer)
      throw command_failed{answer.why()};
    return std::move(*answer);
  }

  struct own_system {
    explicit own_system(const runtime_options& options);
    caf::actor_system_config config;
    std::optional<caf::actor_system> system;
  };

  std::unique_ptr<own_system> own; // destroyed last
  caf::actor_system& system;
  const bool on_nodes;
  milliseconds shutdown_timeout;
  std::function<void()> on_drained;
  std::function<void()> on_stopped;
  std::shared_ptr<event_hub> hub;
  std::shared_ptr<controller::directory> listed;
  std::shared_ptr<control::control_thread> thread;
  std::shared_ptr<const control::environment> env; // what all actors share
  controller_actor controller;
  call_graph calls; // who holds handles to whom

private:
  void refuse_on_control_thread() const;
  error explained(const caf::error& e) const;
  void drain();
  void drain(const std::vector<deployment_name>& names, std::chrono::steady_clock::time_point until);
  void tell_of(const deployment_name& name, const std::string& text);
};

} // namespace troupe
