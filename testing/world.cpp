// Commands, faults and the rest of a simulated world.
#include <troupe/actors/router/router.hpp>
#include <troupe/testing/world.hpp>

#include <iostream>

namespace troupe::testing {

using control::user_code_kind;

world::world(const world_options& options)
    : engine_({.seed = options.seed,
               .max_replicas = options.max_replicas,
               .local = options.local,
               .trace_lines = options.trace_lines,
               .config = options.config}) {
  engine_.allow_faults(); // users kill and fail as they like
}

template <class Answer, class Question>
Answer world::demand(Question question) {
  const auto answer = std::make_shared<std::optional<result<Answer>>>();
  engine_.ask<Answer>(std::move(question), [answer](Answer* x, const error& why) {
    if (x)
      answer->emplace(std::move(*x));
    else
      answer->emplace(why);
  });
  while (!*answer && engine_.step()) {
  }
  if (!*answer)
    throw command_failed{{errc::runtime_stopped, "the command was not answered"}};
  if (!(*answer)->ok())
    throw command_failed{(*answer)->why()};
  return std::move((*answer)->value());
}

command_result world::run(const deployment_options& what, std::shared_ptr<const code> user_code) {
  auto name = user_code ? user_code->traits().name : std::string{};
  return demand<command_result>(deploy_deployment{what.spec(), {std::move(name), std::move(user_code)}});
}

command_result world::scale(std::string_view name, std::uint32_t num_replicas) {
  return demand<command_result>(scale_deployment{parse_deployment_name(name), num_replicas});
}

command_result world::say(std::string_view name, rollout_action action, std::uint64_t revision) {
  return demand<command_result>(control_rollout{parse_deployment_name(name), action, revision});
}

void world::remove(std::string_view name) {
  demand<removed_deployment>(delete_deployment{parse_deployment_name(name)});
}

deployment_status world::status(std::string_view name, bool with_replicas) {
  return demand<deployment_status>(get_deployment{parse_deployment_name(name), with_replicas});
}

void world::count(errc code) {
  if (code == errc::none) {
    ++totals_.answered;
    return;
  }
  ++totals_.failed;
  ++totals_.errors[code];
}

// -- time ----------------------------------------------------------------------------------------------------------

bool world::settle(std::chrono::nanoseconds most) {
  const auto until = now() + most;
  for (;;) {
    while (engine_.has_messages())
      engine_.step();
    if (rests())
      return true;
    if (!engine_.step(until))
      return rests();
  }
}

bool world::rests() {
  const auto list = demand<application_list>(get_applications{false});
  bool served = true;
  for (const auto& a : list.applications)
    for (const auto& d : a.deployments) {
      using state = deployment_state_name;
      const bool moves = d.starting + d.reconfiguring + d.stopping + d.given_up > 0 ||
                         (d.rollout.in_flight > 0 && d.waiting_for_room == 0) || d.deleting;
      const bool waits =
          d.waiting_for_room > 0 || d.rollout.reason == rollout_reason::waiting_for_room || d.num_replicas == 0;
      const bool told = d.state == state::healthy || d.state == state::paused ||
                        (d.state == state::deploy_failed && d.rollout.phase != rollout_phase::rolling);
      if (moves || (!told && !waits))
        return false;
      served &= d.available > 0;
    }
  return totals_.lost() == 0 || !served;
}

// -- faults --------------------------------------------------------------------------------------------------------

bool world::kill(std::string_view name, std::uint64_t replica) {
  return engine_.kill(parse_deployment_name(name).full(), replica);
}

bool world::kill_one(std::string_view name) {
  const auto* rules = engine_.rollout_of(parse_deployment_name(name).full());
  const auto serving = rules ? rules->serving() : std::vector<std::uint64_t>{};
  return !serving.empty() && kill(name, serving[chance().below(static_cast<std::uint32_t>(serving.size()))]);
}

void world::fail_start(std::string message, std::uint32_t count) {
  engine_.user_code().fail(user_code_kind::constructor, std::move(message), count);
}

void world::fail_reconfigure(std::string message, std::uint32_t count) {
  engine_.user_code().fail(user_code_kind::reconfigure, std::move(message), count);
}

void world::fail_check(std::string message, std::uint32_t count) {
  engine_.user_code().fail(user_code_kind::check, std::move(message), count);
}

void world::slow_start(milliseconds takes) { engine_.user_code().slow(user_code_kind::constructor, takes); }

void world::slow_reconfigure(milliseconds takes) { engine_.user_code().slow(user_code_kind::reconfigure, takes); }

void world::slow_check(milliseconds takes) { engine_.user_code().slow(user_code_kind::check, takes); }

// -- seeds ---------------------------------------------------------------------------------------------------------

void for_seeds(std::uint64_t count, const std::function<void(world&)>& scenario, std::uint64_t first,
               world_options options) {
  const auto config = options.config ? nullptr : make_config();
  if (config)
    options.config = config.get();
  for (auto seed = first; seed < first + count; ++seed) {
    options.seed = seed;
    world w{options};
    try {
      scenario(w);
      w.engine().check();
    } catch (...) {
      std::cerr << "seed " << seed << " fails; last steps:\n" << w.engine().trace().tail(options.trace_lines);
      throw;
    }
  }
}

} // namespace troupe::testing
