// The story of a scenario: who acts, how often, and with which faults.
#include "scenario.hpp"

#include "worker.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>

namespace troupe::simulation_tests {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t most_clients = 3;

} // namespace

scenario_result run_scenario(const scenario_options& options) { return scenario{options}.run(); }

scenario::scenario(const scenario_options& options)
    : options_(options), chance_(options.seed), fate_(options.seed ^ 0x5deece66dU),
      appetite_(options.seed ^ 0x2545f491U), geography_(options.seed ^ 0x27d4eb2fU),
      locality_(options.seed ^ 0x165667b1U), distance_(options.seed ^ 0x31415927U) {
  plan();
}

scenario_result scenario::run() {
  const auto commands = chance_.one_in(8) ? chance_.between(1, 4) : chance_.between(5, chance_.one_in(4) ? 40 : 16);
  for (std::uint32_t i = 0; i < commands; ++i) {
    act();
    if (crashes_left_ > 0 && fate_.one_in(4))
      crash();
  }
  conclude();
  const bool leaks = options_.wrong_request == wrong_request_rule::leaks_object;
  end_life();
  if (const auto n = books_.not_destroyed_once() + (leaks ? 1U : 0U); n > 0)
    throw testing::invariant_broken(10, std::to_string(n) + " user objects were not destroyed once", options_.seed,
                                    result_.trace);
  result_.requests = books_.requests();
  result_.answers = books_.answers();
  result_.far_answers = books_.far_answers();
  result_.objects = books_.objects();
  return result_;
}

void scenario::plan() {
  max_replicas_ = chance_.one_in(5) ? chance_.between(2, 14) : 0;
  most_replicas_ = chance_.one_in(4) ? 12 : chance_.between(1, 8);
  user_code_ = worker_code(books_);
  result_.in_workers = !options_.on_nodes && options_.wrong == deployment_state::wrong_rule::none &&
                       options_.wrong_request == wrong_request_rule::none && fate_.one_in(3);
  faulty_ = !chance_.one_in(3);
  if (chance_.one_in(2))
    faults_.copied_messages = chance_.between(1, 200);
  if (chance_.one_in(2))
    faults_.delayed_messages = chance_.between(1, 300);
  if (chance_.one_in(2))
    faults_.slow_user_code = chance_.between(1, 500);
  if (faulty_) {
    kills_ = chance_.one_in(2);
    if (chance_.one_in(2))
      faults_.failing_starts = chance_.between(1, 300);
    if (chance_.one_in(3))
      faults_.failing_reconfigures = chance_.between(1, 100);
    if (chance_.one_in(3))
      faults_.failing_checks = chance_.between(1, 400);
    if (chance_.one_in(6))
      faults_.slowest = 12s; // beyond the shorter startup_timeout
    for (int v = 1; v <= 4; ++v)
      if (chance_.one_in(5))
        bad_versions_.push_back("v" + std::to_string(v));
    books_.allow_faults();
  }
  if (appetite_.one_in(3)) {
    local_.set(resource_name::cpus, appetite_.between(2, 28) * resource_unit / 2);
    if (appetite_.one_in(2))
      local_.set(resource_name::memory, std::uint64_t{appetite_.between(1, 12)} * 100);
  }
  if (options_.on_nodes)
    for (auto n = geography_.between(1, geography_.one_in(4) ? 8 : 4); n > 0; --n) {
      auto& m = machines_.emplace_back();
      m.total.set(resource_name::cpus, geography_.between(2, 12) * resource_unit / 2);
      m.total.set(resource_name::memory, std::uint64_t{geography_.between(1, 8)} * 100);
      if (!locality_.one_in(6))
        m.labels["zone"] = locality_.one_in(2) ? "a" : "b";
      if (locality_.one_in(2))
        m.labels["disk"] = "ssd";
    }
  const std::size_t deployments = chance_.one_in(4) ? 2 : 1;
  for (std::size_t i = 0; i < deployments; ++i) {
    deployment_plan p;
    auto& s = p.spec;
    s.name = i == 0 ? "a" : "b";
    s.num_replicas = chance_.between(1, most_replicas_);
    s.startup_timeout = chance_.one_in(2) ? 5s : 20s;
    s.graceful_shutdown_timeout = chance_.one_in(4) ? 1s : 5s;
    s.health_check_timeout = 3s;
    s.health_check_period = chance_.one_in(2) ? 10s : 30s;
    s.rollout.progress_deadline = chance_.one_in(2) ? 30s : 60s;
    s.execution = static_cast<execution_mode>(chance_.below(3));
    s.version = "v1";
    change_resources(s);
    if (options_.on_nodes && locality_.one_in(2))
      choose_nodes(s);
    s.isolation = result_.in_workers ? isolation_mode::process : isolation_mode::none;
    if (chance_.one_in(2))
      change_light_options(s);
    books_.add_deployment(s.name);
    plans_.push_back(std::move(p));
  }
  books_.answers_early = options_.wrong_request == wrong_request_rule::answers_early;
  if (fate_.one_in(4) || options_.wrong_request == wrong_request_rule::unsynced_answers) {
    store_ = std::make_shared<testing::simulated_store>(fate_.next());
    store_->lies = options_.wrong_request == wrong_request_rule::unsynced_answers;
    crashes_left_ = fate_.between(0, 3);
  }
  const auto clients = options_.wrong_request == wrong_request_rule::overtakes ? std::size_t{1} : most_clients;
  handles_.resize(clients);
  for (auto& h : handles_)
    h.resize(deployments);
  begin_life();
}

void scenario::act() {
  command();
  ++result_.commands;
  send_requests();
  disturb_nodes();
  let_time_pass();
}

void scenario::let_time_pass() {
  keep_wrong_rule();
  const auto steps = [&](std::uint32_t n) {
    for (std::uint32_t i = 0; i < n && simulation_->step(); ++i)
      if (i % 8 == 7) {
        disturb();
        keep_wrong_rule();
      }
  };
  switch (chance_.below(8)) {
  case 0: // the next command comes at once
    return;
  case 1:
  case 2:
  case 3:
    return steps(chance_.below(40));
  case 4:
  case 5:
    return steps(chance_.below(200));
  case 6:
    return simulation_->advance(chance_.up_to(2s));
  default:
    return simulation_->advance(chance_.up_to(20s));
  }
}

void scenario::disturb_nodes() {
  if (!nodes_)
    return;
  if (geography_.one_in(6))
    nodes_->operate();
  if (kills_ && geography_.one_in(10))
    nodes_->break_something();
}

void scenario::disturb() {
  if (chance_.one_in(3))
    send_requests();
  if (geography_.one_in(8))
    disturb_nodes();
  if (nodes_ && distance_.one_in(4))
    nodes_->stutter();
  if (!kills_ || !chance_.one_in(12))
    return;
  const auto i = chance_.below(static_cast<std::uint32_t>(plans_.size()));
  const auto* rules = simulation_->rollout_of(plans_[i].spec.name);
  if (!rules)
    return;
  if (const auto ids = rules->serving(); !ids.empty()) {
    books_.deployment(i).disturbances++;
    if (workers_ && chance_.one_in(2))
      workers_->crash_one();
    else
      simulation_->kill(plans_[i].spec.name, ids[chance_.below(static_cast<std::uint32_t>(ids.size()))]);
  }
}

void scenario::send_requests() {
  for (auto n = chance_.below(5); n > 0; --n)
    send(chance_.below(static_cast<std::uint32_t>(plans_.size())));
}

void scenario::send(std::size_t deployment) {
  const bool from_node = nodes_ && distance_.one_in(3);
  const auto machine = from_node ? distance_.below(nodes_->machines()) : 0U;
  if (!in_use(deployment)) {
    if (from_node && distance_.one_in(2)) // which is not told there
      simulation_->post(
          [this, machine, deployment](caf::event_based_actor& self) {
            request_record r;
            r.deployment = static_cast<std::uint8_t>(deployment);
            send_from_node(machine, deployment, std::move(r), {}, self);
          },
          1);
    return;
  }
  request_record r;
  r.deployment = static_cast<std::uint8_t>(deployment);
  switch (chance_.below(10)) {
  case 0:
    r.kind = task_kind::throws;
    break;
  case 1:
  case 2:
  case 3:
  case 4:
    r.kind = task_kind::later;
    r.takes = chance_.up_to(faulty_ && chance_.one_in(8) ? 7'000ms : chance_.one_in(3) ? 900ms : 20ms);
    break;
  case 5:
    r.kind = task_kind::drops;
    r.takes = chance_.up_to(20ms);
    break;
  case 6:
    r.kind = faulty_ ? task_kind::never : task_kind::quick;
    break;
  default:
    break;
  }
  call_options options;
  if (chance_.one_in(3)) {
    r.has_timeout = true;
    options.timeout = chance_.up_to(chance_.one_in(2) ? 30ms : 3'000ms);
  }
  if (chance_.one_in(10))
    options.routing_key = std::string(1, static_cast<char>('a' + chance_.below(4)));
  if (chance_.one_in(8) && !from_node)
    return send_from_thread(deployment, std::move(r), std::move(options));
  const auto client = chance_.below(static_cast<std::uint32_t>(handles_.size()));
  const auto cancel_after = chance_.one_in(10) ? chance_.up_to(100ms) + 1ms : 0ms;
  if (from_node) {
    simulation_->post(
        [this, machine, deployment, client, r, options, cancel_after](caf::event_based_actor& self) {
          const auto number = send_from_node(machine, deployment, r, options, self);
          if (number && cancel_after > 0ms)
            simulation_->post([this, n = *number](caf::event_based_actor&) { books_.cancel(n); }, client + 1,
                              cancel_after);
        },
        client + 1);
    return;
  }
  simulation_->post(
      [this, deployment, client, r, options, cancel_after](caf::event_based_actor& self) {
        const auto to = simulation_->router_of(name_of(deployment));
        if (!to)
          return;
        auto& h = handles_[client][deployment];
        if (h.destination() != to)
          h = handle<task_done(quick_task), task_done(slow_task)>{to};
        auto mine = r;
        mine.idempotent = to->limits().idempotent && options_.wrong_request != wrong_request_rule::always_idempotent;
        const auto slow = mine.kind != task_kind::quick && mine.kind != task_kind::throws;
        const auto number = books_.sent(std::move(mine), to);
        const auto answered = [this, number](const task_done& x) {
          books_.answered(number, x);
          if (options_.wrong_request == wrong_request_rule::answers_twice && number % 16 == 7)
            books_.answered(number, x);
        };
        const auto failed = [this, number](const error& why) { books_.failed(number, why); };
        auto& to_client = h;
        submit([this, number, slow, answered, failed, options, &to_client, &self] {
          auto token = slow ? to_client.request(&self, slow_task{number}, options).then(answered, failed)
                            : to_client.request(&self, quick_task{number}, options).then(answered, failed);
          if (books_.request(number).outcomes == 0)
            books_.kept(number, std::move(token));
        });
        if (cancel_after > 0ms)
          simulation_->post([this, number](caf::event_based_actor&) { books_.cancel(number); }, client + 1,
                            cancel_after);
      },
      client + 1);
}

/// By the router of that machine's process. Nothing where it is down.
std::optional<std::uint32_t> scenario::send_from_node(std::size_t machine, std::size_t deployment, request_record r,
                                                      const call_options& options, caf::event_based_actor& self) {
  const auto from = nodes_->process_of(machine);
  if (!from.routers)
    return {};
  const auto to = from.routers->of(name_of(deployment));
  r.process = from.number;
  r.idempotent = to->limits().idempotent;
  const auto slow = r.kind != task_kind::quick && r.kind != task_kind::throws;
  const auto number = books_.sent(std::move(r), to);
  ++result_.from_nodes;
  simulation_->trace().line(simulation_->now().time_since_epoch(), [&] {
    return "request " + std::to_string(number) + " to " + plans_[deployment].spec.name + " is sent from " +
           from.machine;
  });
  const auto answered = [this, number](const task_done& x) { books_.answered(number, x); };
  const auto failed = [this, number](const error& why) { books_.failed(number, why); };
  const handle<task_done(quick_task), task_done(slow_task)> h{to};
  auto token = slow ? h.request(&self, slow_task{number}, options).then(answered, failed)
                    : h.request(&self, quick_task{number}, options).then(answered, failed);
  if (books_.request(number).outcomes == 0)
    books_.kept(number, std::move(token));
  return number;
}

/// At once, but in simulations that must fail.
void scenario::submit(std::function<void()> f) {
  if (options_.wrong_request != wrong_request_rule::overtakes)
    return f();
  if (!overtaken_) {
    overtaken_ = std::move(f);
    return;
  }
  f();
  std::exchange(overtaken_, nullptr)();
}

/// Replicas of execution `inlined` run in here.
void scenario::send_from_thread(std::size_t deployment, request_record r, call_options options) {
  const auto to = simulation_->router_of(name_of(deployment));
  r.idempotent = to->limits().idempotent && options_.wrong_request != wrong_request_rule::always_idempotent;
  const auto slow = r.kind != task_kind::quick && r.kind != task_kind::throws;
  const auto number = books_.sent(std::move(r), to);
  const auto done = [this, number](const result<task_done>& x) {
    if (x.ok())
      books_.answered(number, *x);
    else
      books_.failed(number, x.why());
  };
  const handle<task_done(quick_task), task_done(slow_task)> h{to};
  if (slow)
    h.call(slow_task{number}, std::move(options), done);
  else
    h.call(quick_task{number}, std::move(options), done);
}

void scenario::keep_wrong_rule() {
  if (options_.wrong_request == wrong_request_rule::none)
    return;
  for (std::size_t i = 0; i < plans_.size(); ++i) {
    const auto to = simulation_->router_of(name_of(i));
    const auto* rules = simulation_->rollout_of(plans_[i].spec.name);
    if (!to || !rules)
      continue;
    auto limits = to->limits();
    switch (options_.wrong_request) {
    case wrong_request_rule::exceeds_limit:
      limits.max_ongoing = books_.deployment(i).limit + 1;
      to->set_limits(limits);
      break;
    case wrong_request_rule::always_idempotent:
      limits.idempotent = true;
      to->set_limits(limits);
      break;
    case wrong_request_rule::refuses_meanwhile:
      if (rules->stopping() > 0 && !rules->deleted())
        to->refuse({errc::unavailable, "a replica is being replaced"});
      else if (!rules->deleted())
        to->accept();
      break;
    default:
      break;
    }
  }
}

} // namespace troupe::simulation_tests
