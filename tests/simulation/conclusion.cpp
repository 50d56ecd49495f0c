// The end of a scenario: faults and commands stop, and what is left must come to rest (invariants 4, 6, 10).
#include "scenario.hpp"

#include <algorithm>
#include <utility>

namespace troupe::simulation_tests {

using namespace std::chrono_literals;

void scenario::conclude() {
  faults_ = {};
  simulation_->use(faults_);
  if (store_)
    store_->failing_writes(0);
  kills_ = false;
  if (workers_)
    workers_->allow_faults(false);
  if (nodes_)
    nodes_->heal(geography_.one_in(2));
  if (options_.wrong_request == wrong_request_rule::overtakes)
    options_.wrong_request = wrong_request_rule::none;
  if (overtaken_)
    simulation_->post([f = std::exchange(overtaken_, nullptr)](caf::event_based_actor&) { f(); }, 1);
  books_.answer_all();
  simulation_->advance(50ms); // what is delayed has arrived
  if (nodes_) // the last connection is tried again after 8 s, and 15 s later what its node brings is adopted or ended
    simulation_->advance(25s);
  come_to_rest();
  if (store_) {
    simulation_->advance(2s); // a write that failed is tried again after a second
    check_promises();
    check_stored();
  }
  if (workers_ || nodes_)
    simulation_->advance(15s); // user code of a lost worker still runs here, as it does in no process
  come_to_rest();              // what was paused without a replica may have been rolled back, and serves what waited
  for (std::size_t i = 0; i < plans_.size(); ++i)
    if (const auto s = status(i))
      check_rest(i, *s);
    else
      ++result_.other;
  check_ledger();
  if (nodes_) {
    check_waiting();
    check_routes();
  }
  simulation_->check();
  if (!quiet_ || !chance_.one_in(4))
    return;
  const auto sent = simulation_->messages().sent_without_checks();
  simulation_->advance(15s);
  if (simulation_->messages().sent_without_checks() != sent)
    simulation_->report(4, "at rest other messages than health checks are sent");
  simulation_->check();
}

void scenario::come_to_rest() {
  const auto replicas = [&] {
    std::uint32_t n = 1;
    for (const auto& p : plans_)
      if (const auto* r = simulation_->rollout_of(p.spec.name))
        n += std::max(r->target_count(), r->live()) + r->stopping();
    return n;
  }();
  milliseconds deadline{0};
  for (const auto& p : plans_)
    deadline = std::max(deadline, p.spec.rollout.progress_deadline);
  const auto until = simulation_->now() + 2 * deadline;
  // Checks and rollouts of many waves take more than their share of the bound in small scenarios.
  std::uint64_t most = 2000 + 200 * (replicas + books_.open_requests());
  if (nodes_) // signs of life, code, and each message goes through a proxy
    most += 1500 * nodes_->machines() + 200 * replicas * nodes_->machines();
  std::uint64_t taken = 0;
  for (;;) {
    while (simulation_->has_messages()) {
      simulation_->step();
      if (++taken > most)
        break;
    }
    if (taken > most || (at_rest() && stays_at_rest()))
      break;
    if (!simulation_->step(until)) {
      if (!at_rest() || !stays_at_rest())
        taken = most + 1;
      break;
    }
    ++taken;
  }
  if (taken <= most)
    return;
  std::string text = "it does not come to rest after faults and commands have stopped";
  for (std::size_t i = 0; i < plans_.size(); ++i)
    if (const auto s = status(i))
      text += "; " + s->name + " is " + to_string(s->state) + " (" + to_string(s->rollout.phase) + ", " +
              std::to_string(s->available) + " of " + std::to_string(s->num_replicas) + " available, " +
              std::to_string(s->queued) + " queued, " + std::to_string(s->ongoing) + " ongoing) " + s->message;
  simulation_->report(4, text);
  simulation_->check();
}

/// What is on disk is what runs.
void scenario::check_stored() {
  const auto disk = store_->durable();
  for (std::size_t i = 0; i < plans_.size(); ++i) {
    const auto s = status(i);
    auto it = disk.find(name_of(i));
    if (!s && it != disk.end() && it->second.deleting) // the disk was full: the next start erases it
      it = disk.end();
    if (s.has_value() != (it != disk.end()))
      simulation_->report(8, name_of(i).full() + (s ? " runs and is not on disk" : " is on disk and does not run"));
    else if (s && (it->second.target != s->rollout.target_revision || it->second.num_replicas != s->num_replicas ||
                   it->second.phase != s->rollout.phase))
      simulation_->report(8, name_of(i).full() + " on disk is not what runs");
  }
  simulation_->check();
}

namespace {

/// A failed first deployment keeps what did start and replaces what dies, for ever. All others start what they lack.
bool gave_up(const deployment_status& s) {
  return s.rollout.phase == rollout_phase::failed && s.rollout.base_revision == 0;
}

bool lacks_replicas(const deployment_status& s) { return s.available + s.waiting_for_room < s.num_replicas; }

/// Starts are tried again, though neither faults nor commands go on: of code that never starts.
bool tries_again(const deployment_status& s) {
  return s.rollout.in_flight > 0 && s.waiting_for_room == 0 && s.rollout.reason != rollout_reason::waiting_for_room;
}

/// Invariant 4: healthy on its target, rolled back or failed with a reason, paused, or waiting for room.
bool is_resting(const deployment_status& s) {
  if (s.deleting || s.given_up > 0)
    return false;
  if (s.starting > 0 && s.waiting_for_room > 0) // it may wait for a seat that is gone: until its startup_timeout
    return false;
  using state = deployment_state_name;
  const bool over = s.rollout.phase != rollout_phase::rolling && s.rollout.phase != rollout_phase::baking;
  if (s.state == state::healthy)
    return s.available == s.num_replicas;
  if (s.state == state::deploy_failed && over)
    return !s.message.empty() && (gave_up(s) || (!lacks_replicas(s) && !tries_again(s)));
  if (s.state == state::paused)
    return !lacks_replicas(s) || s.rollout.in_flight > 0; // a first deployment that still tries its starts
  const bool waits =
      s.num_replicas == 0 || s.waiting_for_room > 0 || s.rollout.reason == rollout_reason::waiting_for_room;
  return waits && s.rollout.phase != rollout_phase::baking && !lacks_replicas(s) && !tries_again(s);
}

} // namespace

/// An empty slot of the base in its backoff, at most 10 s, shows in no status.
bool scenario::stays_at_rest() {
  if (!quiet_ || all_healthy_)
    return true;
  const auto sent = simulation_->messages().sent_without_checks();
  simulation_->advance(11s);
  return simulation_->messages().sent_without_checks() == sent;
}

bool scenario::at_rest() {
  for (std::size_t i = 0; i < plans_.size(); ++i) {
    const auto* rules = simulation_->rollout_of(plans_[i].spec.name);
    if (rules && !rules->still())
      return false;
  }
  quiet_ = all_healthy_ = true;
  for (std::size_t i = 0; i < plans_.size(); ++i) {
    const auto s = status(i);
    if (!s)
      continue;
    if (!is_resting(*s))
      return false;
    all_healthy_ &= s->state == deployment_state_name::healthy;
    quiet_ &= !gave_up(*s) && s->rollout.in_flight == 0;
    const bool served = s->available > 0;
    if (served && (s->queued > 0 || s->ongoing > 0 || books_.open_requests_of(i) > 0))
      return false;
  }
  return true;
}

/// Null when there is no such deployment.
std::optional<deployment_status> scenario::status(std::size_t i) {
  struct answer {
    bool here = false;
    std::optional<deployment_status> status;
  };
  const auto found = std::make_shared<answer>();
  simulation_->ask<deployment_status>(get_deployment{name_of(i), false}, [found](deployment_status* s, const error&) {
    found->here = true;
    if (s)
      found->status = std::move(*s);
  });
  while (!found->here && simulation_->has_messages())
    simulation_->step();
  if (!found->here)
    simulation_->report(4, "a query is not answered");
  simulation_->check();
  return std::move(found->status);
}

/// At rest nothing is taken that no replica holds; what waits in a backoff keeps its room.
void scenario::check_ledger() {
  const auto found = std::make_shared<std::optional<resource_report>>();
  simulation_->ask<resource_report>(get_resources{}, [found](resource_report* r, const error&) {
    if (r)
      *found = std::move(*r);
  });
  while (!*found && simulation_->has_messages())
    simulation_->step();
  resources used;
  if (*found)
    for (const auto& n : (*found)->nodes)
      add(used, n.used);
  const auto held = simulation_->held();
  if (!*found || !fits(held, used) || (quiet_ && !(held == used)))
    simulation_->report(10, "replicas hold " + to_string(held) + ", the ledger has " + to_string(used) + " as taken");
}

/// What waits for room has a true reason: where one deployment alone waits, none of the open nodes has that room.
void scenario::check_waiting() {
  if (max_replicas_ > 0 || plans_.size() > 1)
    return;
  const auto s = status(0);
  auto* rules = simulation_->rollout_of(plans_[0].spec.name);
  if (!s || s->waiting_for_room == 0 || s->rollout.phase != rollout_phase::complete ||
      s->state == deployment_state_name::deploy_failed) // the base's replicas wait, or nobody
    return;
  const auto& next = rules->target()->spec;
  if (const auto where = nodes_->has_room_for(next); quiet_ && !where.empty())
    simulation_->report(10, s->name + " waits for room for " + to_string(next.per_replica) + ", and node " + where +
                                " has it: " + s->message);
}

/// Routers of nodes' processes know the replicas that take requests, and no others.
void scenario::check_routes() {
  for (std::size_t m = 0; m < nodes_->machines(); ++m)
    for (std::size_t i = 0; i < plans_.size(); ++i)
      if (const auto p = nodes_->process_of(m); p.routers)
        p.routers->of(name_of(i));
  simulation_->advance(3s); // connections are made, and one that was out of reach is tried again after 2 s
  std::vector<std::uint32_t> last;
  for (std::size_t i = 0; i < plans_.size(); ++i) {
    const auto s = status(i);
    const router::reach expected{s ? s->available : 0U, 0U};
    for (std::size_t m = 0; m < nodes_->machines(); ++m) {
      const auto p = nodes_->process_of(m);
      if (!p.routers)
        continue;
      const auto to = p.routers->of(name_of(i));
      if (const auto known = to->replicas(); known != expected)
        simulation_->report(4, "the router of " + p.machine + " for " + plans_[i].spec.name + " reaches " +
                                   std::to_string(known.open) + " replicas, " + std::to_string(known.closed) +
                                   " are closed there; available are " + std::to_string(expected.open));
      if (expected.open == 0)
        continue;
      simulation_->post(
          [this, m, i, &last](caf::event_based_actor& self) {
            request_record r;
            r.deployment = static_cast<std::uint8_t>(i);
            if (const auto number = send_from_node(m, i, std::move(r), {}, self))
              last.push_back(*number);
          },
          1);
    }
  }
  simulation_->advance(1s);
  for (const auto number : last)
    if (const auto& r = books_.request(number); !r.is_lost && (r.outcomes != 1 || r.code != errc::none))
      simulation_->report(3, "request " + std::to_string(number) + ", sent at rest from a node, is not answered");
}

void scenario::check_rest(std::size_t i, const deployment_status& s) {
  using state = deployment_state_name;
  auto* rules = simulation_->rollout_of(plans_[i].spec.name);
  const auto living = books_.living(i);
  const auto say = [&](int invariant, const std::string& what) {
    simulation_->report(invariant,
                        s.name + " at rest (" + to_string(s.state) + ", " + to_string(s.rollout.phase) + "): " + what);
  };
  if (living != s.available + s.given_up || s.available != rules->available())
    say(10, std::to_string(living) + " objects live, the status says that " + std::to_string(s.available) +
                " are available, seen were " + std::to_string(rules->available()));
  const bool in_wave = s.rollout.reason == rollout_reason::canary_pause || s.rollout.in_flight > 0;
  const auto more = in_wave ? rules->surge() : 0U;
  if (s.available > s.num_replicas + more)
    say(10, std::to_string(s.available) + " are available, N is " + std::to_string(s.num_replicas));
  const auto room = s.waiting_for_room;
  if (lacks_replicas(s) && !gave_up(s) && s.rollout.in_flight == 0)
    say(10, "only " + std::to_string(s.available) + " of " + std::to_string(s.num_replicas) +
                " are available, room lacks for " + std::to_string(room));
  if (s.state == state::healthy) {
    ++result_.healthy;
    if (const auto n = books_.with_other_config(i, rules->target()->spec.user_config.get()); n > 0)
      say(6, std::to_string(n) + " replicas do not have the target's config");
  } else if (s.state == state::deploy_failed) {
    ++result_.failed;
  } else if (s.state == state::paused) {
    ++result_.paused;
  } else {
    ++result_.other;
  }
  const bool served = s.available > 0;
  if (const auto n = books_.open_requests_of(i); n > 0 && served)
    say(3, std::to_string(n) + " requests have no outcome");
  if (s.ongoing > 0 && served)
    say(10, std::to_string(s.ongoing) + " slots are taken");
}

} // namespace troupe::simulation_tests
