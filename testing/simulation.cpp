// Steps, faults and the end of a simulated world.
#include <troupe/actors/router/router.hpp>
#include <troupe/messages/registry.hpp>
#include <troupe/testing/describe.hpp>
#include <troupe/testing/simulation.hpp>

#include <caf/actor_registry.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

#include <utility>

namespace troupe::testing {

namespace {

/// What the operator or a client does next. Local.
struct person_task {
  std::function<void(caf::event_based_actor&)> run;
};

} // namespace

} // namespace troupe::testing

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::testing::person_task)

namespace troupe::testing {

namespace {

/// `asleep`: the world ends, and what the task refers to may be gone.
caf::behavior person(caf::event_based_actor* self, std::shared_ptr<const bool> asleep) {
  self->set_default_handler(caf::drop);
  return {[self, asleep = std::move(asleep)](person_task& t) {
    if (!*asleep)
      t.run(*self);
  }};
}

} // namespace

invariant_broken::invariant_broken(int number, std::string text, std::uint64_t seed, const std::string& last_steps)
    : std::runtime_error("invariant " + std::to_string(number) + " is broken: " + text + "\nseed " +
                         std::to_string(seed) + (last_steps.empty() ? std::string{} : "\nlast steps:\n" + last_steps)),
      number_(number), sentence_(std::move(text)), seed_(seed) {}

std::unique_ptr<caf::actor_system_config> make_config() {
  auto config = std::make_unique<caf::actor_system_config>();
  register_messages(*config);
  config->set("scheduler.policy", caf::atom("testing"));
  return config;
}

simulation::simulation(const simulation_options& options)
    : options_(options), chance_((options.seed * 2 + 1) ^ (std::uint64_t{options.life} << 40)),
      own_config_(options.config ? nullptr : make_config()), system_(options.config ? *options.config : *own_config_),
      scheduler_(dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler())),
      messages_(system_, chance_.next(), trace_), user_code_(chance_.next()),
      environment_(control::make_simulated_environment(system_, chance_.next())),
      listed_(std::make_shared<controller::directory>()) {
  trace_.keep(options.trace_lines);
  environment_->interceptor = &messages_;
  environment_->user_code_hook = &user_code_;
  environment_->observer = this;
  environment_->store = options.store;
  environment_->on_log = [this](control::log_level level, std::string_view text) {
    trace_.line(now().time_since_epoch(), [&] { return "log: " + std::string{text}; });
    if (level == control::log_level::error && text.find("control actor") != std::string_view::npos)
      report(0, std::string{text});
  };
  user_code_.on_run = [this](auto kind, const auto& replica, const auto& deployment) {
    note_run(kind, replica, deployment);
  };
  controller_ = controller::spawn_controller(environment_, {.max_replicas = options.max_replicas,
                                                            .local = options.local,
                                                            .listed = listed_,
                                                            .bounds = {.wrong = options.wrong},
                                                            .on_nodes = options.on_nodes});
  people_.push_back(system_.spawn(person, people_asleep_));
}

simulation::~simulation() {
  const auto run_all = [this] {
    while (has_messages())
      scheduler_.run_once();
  };
  *people_asleep_ = true;
  messages_.use({});
  messages_.loses = nullptr;
  on_transition = nullptr;
  caf::anon_send_exit(controller_, caf::exit_reason::user_shutdown);
  run_all();
  controller_ = nullptr;
  for (const auto& [id, replica] : replicas_)
    if (const auto& actors = deployments_.at(replica.first).actors; actors.contains(replica.second.id))
      caf::anon_send_exit(actors.at(replica.second.id), caf::exit_reason::kill);
  if (before_end)
    before_end();
  for (auto& p : std::exchange(people_, {}))
    caf::anon_send_exit(p, caf::exit_reason::kill);
  run_all();
  scheduler_.clock().cancel_all(); // delayed messages hold their receivers
  run_all();
  environment_->observer = nullptr;
  environment_->interceptor = nullptr;
  environment_->user_code_hook = nullptr;
  environment_->on_log = nullptr;
  if (at_end)
    at_end();
  environment_.reset();
  listed_.reset();
  run_all();
  if (system_.registry().running() != 0)
    system_.await_actors_before_shutdown(false); // a defect, but no reason to wait for ever
}

// -- steps ---------------------------------------------------------------------------------------------------------

bool simulation::step(time_point limit) {
  constexpr std::uint64_t most_steps_at_once = 1'000'000;
  if (has_messages()) {
    run_next_message();
  } else {
    auto& clock = scheduler_.clock();
    if (!clock.has_pending_timeout())
      return false;
    const auto due = clock.schedule().begin()->first;
    if (due > limit)
      return false;
    if (due > clock.current_time) {
      clock.current_time = due;
      steps_at_now_ = 0;
    }
    trace_.mix(static_cast<std::uint64_t>(due.time_since_epoch().count()));
    clock.trigger_expired_timeouts();
  }
  ++steps_;
  if (++steps_at_now_ > most_steps_at_once)
    report(4, "messages beget messages without end while no time passes");
  check();
  return true;
}

void simulation::run_next_message() {
  auto& jobs = scheduler_.jobs;
  const auto choice = chance_.below(static_cast<std::uint32_t>(jobs.size()));
  std::swap(jobs.front(), jobs[choice]);
  running_ = jobs.front();
  trace_.mix(choice);
  scheduler_.run_once();
  running_ = nullptr;
}

void simulation::advance(duration d) {
  const auto until = now() + d;
  while (step(until)) {
  }
  if (now() < until)
    scheduler_.clock().current_time = until;
}

void simulation::report(int invariant, std::string sentence) {
  if (broken_)
    return;
  trace_.line(now().time_since_epoch(), [&] { return "BROKEN " + std::to_string(invariant) + ": " + sentence; });
  broken_.emplace(invariant, std::move(sentence));
}

void simulation::check() {
  if (broken_)
    throw invariant_broken(broken_->first, broken_->second, options_.seed, trace_.tail(options_.trace_lines));
}

// -- acting in it --------------------------------------------------------------------------------------------------

void simulation::post(std::function<void(caf::event_based_actor&)> f, std::size_t client, duration delay) {
  while (people_.size() <= client)
    people_.push_back(system_.spawn(person, people_asleep_));
  auto to = caf::actor_cast<caf::strong_actor_ptr>(people_[client]);
  auto element = caf::make_mailbox_element(nullptr, caf::make_message_id(), {}, person_task{std::move(f)});
  if (delay > duration{0})
    scheduler_.clock().schedule_message(now() + delay, std::move(to), std::move(element));
  else
    to->enqueue(std::move(element), nullptr);
}

bool simulation::kill(const std::string& deployment, std::uint64_t replica) {
  const auto it = deployments_.find(deployment);
  if (it == deployments_.end() || !it->second.actors.contains(replica))
    return false;
  trace_.line(now().time_since_epoch(),
              [&] { return "killed: replica " + std::to_string(replica) + " of " + deployment; });
  caf::anon_send_exit(it->second.actors.at(replica), caf::exit_reason::kill);
  return true;
}

std::shared_ptr<router> simulation::router_of(const deployment_name& name) const {
  const auto found = listed_->find(name);
  return found ? found->calls : nullptr;
}

void simulation::use(const fault_plan& plan) {
  messages_.use(plan);
  user_code_.use(plan);
}

void simulation::allow_faults() {
  faults_allowed_ = true;
  for (auto& [name, d] : deployments_)
    d.rules.allow_faults();
}

// -- looking at it -------------------------------------------------------------------------------------------------

rollout_invariants* simulation::rollout_of(const std::string& deployment) {
  const auto it = deployments_.find(deployment);
  return it == deployments_.end() ? nullptr : &it->second.rules;
}

caf::actor_id simulation::running_actor() const {
  const auto* actor = dynamic_cast<const caf::abstract_actor*>(running_);
  return actor ? actor->id() : 0;
}

std::pair<std::string, replica_ref> simulation::running_replica() const {
  const auto it = replicas_.find(running_actor());
  return it == replicas_.end() ? std::pair<std::string, replica_ref>{} : it->second;
}

resources simulation::held() const {
  resources sum;
  for (const auto& [name, d] : deployments_)
    add(sum, d.rules.held());
  return sum;
}

void simulation::check_room() {
  const auto over = options_.on_nodes ? std::nullopt : first_lacking(held(), options_.local);
  if (over)
    report(2, amount_text(over->name, over->amount) + ' ' + over->name + " are held, there are " +
                  amount_text(over->name, options_.local.of(over->name)));
  if (options_.max_replicas == 0 || options_.on_nodes) // there those count that have a seat
    return;
  std::uint32_t sum = 0;
  for (const auto& [name, d] : deployments_)
    sum += d.rules.live() + d.rules.stopping();
  if (sum > options_.max_replicas)
    report(2, std::to_string(sum) + " replicas exist, max_replicas is " + std::to_string(options_.max_replicas));
}

void simulation::note_run(control::user_code_kind kind, const replica_ref& replica, const std::string& deployment) {
  trace_.mix(replica.id * 8 + static_cast<std::uint64_t>(kind));
  trace_.line(now().time_since_epoch(),
              [&] { return deployment + " replica " + std::to_string(replica.id) + " runs its " + to_string(kind); });
  if (kind != control::user_code_kind::constructor)
    return;
  replicas_[running_actor()] = {deployment, replica};
  if (const auto it = deployments_.find(deployment); it != deployments_.end())
    if (auto* actor = dynamic_cast<caf::abstract_actor*>(running_))
      it->second.actors[replica.id] = actor->address();
}

void simulation::stepped(const deployment_name& name, const deployment_state::any_event& ev,
                         const deployment_state::transition& t, const deployment_state::machine&) {
  const auto full = name.full();
  const auto actor = running_actor();
  auto it = deployments_.find(full);
  if (it != deployments_.end() && it->second.state_actor > actor)
    return;
  if (it == deployments_.end() || it->second.state_actor < actor) {
    rollout_invariants rules(full, options_.max_replicas > 0 || options_.on_nodes,
                             [this](int i, std::string s) { report(i, std::move(s)); });
    if (faults_allowed_)
      rules.allow_faults();
    it = deployments_.insert_or_assign(full, followed{std::move(rules), actor, {}}).first;
  }
  trace_.mix(ev.index());
  for (const auto& e : t.effects) {
    trace_.mix(e.index());
    if (const auto* gone = std::get_if<deployment_state::effect::forget>(&e))
      it->second.actors.erase(gone->replica.id);
  }
  trace_.line(now().time_since_epoch(), [&] { return full + ": " + describe(ev, t); });
  it->second.rules.stepped(ev, t);
  check_room();
  if (on_transition)
    on_transition(full, ev, t);
}

} // namespace troupe::testing
