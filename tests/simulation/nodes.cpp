#include "nodes.hpp"

#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <set>
#include <stdexcept>
#include <utility>

namespace troupe::simulation_tests {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

namespace {

/// `inner`, which the controller's side never calls.
class simulated_node_code final : public nodes::node_code {
public:
  simulated_node_code(std::shared_ptr<nodes::node_places> places, std::shared_ptr<const code> inner, load_code what,
                      std::string name)
      : places_(std::move(places)), inner_(std::move(inner)), what_(std::move(what)), name_(std::move(name)) {}
  simulated_node_code(const simulated_node_code&) = delete;
  simulated_node_code& operator=(const simulated_node_code&) = delete;
  ~simulated_node_code() override { places_->forget(what_.code); }

  const code_traits& traits() const noexcept override { return inner_->traits(); }
  std::unique_ptr<instance> construct(const json&) const override {
    throw std::logic_error("nodes construct, nobody else");
  }
  replica::worker_source& workers() const noexcept override { return *places_; }
  const std::string& deployment() const noexcept override { return name_; }
  const load_code& what() const noexcept override { return what_; }
  std::uint64_t likeness() const noexcept override { return nodes::likeness_of(what_); }

private:
  const std::shared_ptr<nodes::node_places> places_;
  const std::shared_ptr<const code> inner_;
  const load_code what_;
  const std::string name_;
};

} // namespace

/// Brings code at once, late, or not at all.
class simulated_nodes::supply final : public cluster::code_supply {
public:
  explicit supply(simulated_nodes& of) : of_(of) {}

  void connected(code_source_actor) override {
    is_connected_ = true;
    for (auto& [user, done] : std::exchange(waiting_, {}))
      bring(user, std::move(done));
  }
  void disconnected() override { is_connected_ = false; }
  void need(std::uint64_t user, const std::string&, std::vector<code_file>, done_function done) override {
    if (is_connected_)
      bring(user, std::move(done));
    else
      waiting_.emplace(user, std::move(done));
  }
  void drop(std::uint64_t user) override {
    waiting_.erase(user);
    dropped_.insert(user);
  }

private:
  void bring(std::uint64_t user, done_function done) {
    auto& chance = of_.chance_;
    const bool fails = of_.faults_ && chance.one_in(20);
    const auto takes = chance.up_to(of_.faults_ && chance.one_in(8) ? 30'000ms : 100ms) + 1ms;
    of_.later(takes, [this, user, fails, done = std::move(done)]() mutable {
      if (dropped_.contains(user))
        return;
      if (!fails && !is_connected_)
        waiting_.emplace(user, std::move(done));
      else
        done(fails ? std::optional<error>{{errc::unavailable, "the disk is full"}} : std::nullopt);
    });
  }

  simulated_nodes& of_;
  bool is_connected_ = false;
  std::map<std::uint64_t, done_function> waiting_;
  std::set<std::uint64_t> dropped_;
};

simulated_nodes::simulated_nodes(std::uint64_t seed, std::vector<machine_plan> machines, std::uint32_t max_replicas,
                                 stored_nodes& stored)
    : chance_(seed), distance_(seed ^ 0x6c62272eU), max_replicas_(max_replicas), stored_(stored) {
  for (auto& x : machines) {
    auto& m = machines_.emplace_back();
    m.name = "n" + std::to_string(machines_.size());
    m.total = std::move(x.total);
    for (const auto& [key, value] : x.labels)
      m.labels.push_back({key, value});
  }
}

simulated_nodes::~simulated_nodes() = default;

void simulated_nodes::attach(testing::simulation& world) {
  world_ = &world;
  nodes::door_boot boot{.controller = world.controller(),
                        .code = {},
                        .release = "simulated",
                        .persist = [this](const nodes::known_node& what, std::uint64_t last) {
                          stored_.known.insert_or_assign(what.name, what);
                          stored_.last_id = last;
                        }};
  for (const auto& [name, x] : stored_.known)
    boot.known.push_back(x);
  boot.last_id = stored_.last_id;
  door_ = nodes::spawn_door(world.environment(), std::move(boot));
  places_->open(door_);
  while (world.has_messages()) // as a daemon, which opens its door before it restores anything
    world.step();
  for (std::size_t i = 0; i < machines_.size(); ++i)
    come_up_later(i, 3'000ms);
  world.before_end = [this] {
    for (std::size_t i = 0; i < machines_.size(); ++i)
      die(i, "the world ends");
    places_->shut();
    caf::anon_send_exit(std::exchange(door_, nullptr), caf::exit_reason::kill);
  };
  world.at_end = [this] { world_ = nullptr; };
}

std::shared_ptr<const code> simulated_nodes::code_for(std::shared_ptr<const code> inner, std::string name) {
  load_code what;
  what.code = ++last_code_;
  what.application = "default";
  what.deployment = name;
  what.digest = "code " + std::to_string(what.code);
  inner_.emplace(what.code, inner);
  return std::make_shared<const simulated_node_code>(places_, std::move(inner), std::move(what), std::move(name));
}

// -- machines ------------------------------------------------------------------------------------------------------

void simulated_nodes::later(milliseconds delay, std::function<void()> f) {
  world_->post([f = std::move(f)](caf::event_based_actor&) { f(); }, 0, delay);
}

void simulated_nodes::note(const std::string& text) {
  world_->trace().line(world_->now().time_since_epoch(), [&] { return "machine " + text; });
}

void simulated_nodes::come_up_later(std::size_t i, milliseconds at_most) {
  later(chance_.up_to(healed_ ? 100ms : at_most) + 1ms, [this, i] { come_up(i); });
}

void simulated_nodes::come_up(std::size_t i) {
  auto& m = machines_[i];
  if (m.agent)
    return;
  note(m.name + " comes up");
  const auto start = ++m.start;
  m.leaving = false;
  auto& cache = *supplies_.emplace_back(std::make_unique<supply>(*this));
  m.incarnation = chance_.next() | 1U;
  m.process = ++last_process_;
  m.alone_until = {};
  m.routers = std::make_shared<cluster::router_table>(world_->system());
  const auto ports = std::make_shared<worker::port_table>();
  cluster::board_boot boot{
      .incarnation = m.incarnation,
      .routers = m.routers,
      .ports = ports,
      .connect = [this, i, start](const peer_address& x) { return dial_peer(i, start, x); },
      .later = [this](std::function<void()> job) { later(distance_.up_to(20ms) + 1ms, std::move(job)); },
      .set_routes = {}};
  m.board = cluster::spawn_route_board(world_->environment(), std::move(boot));
  m.routers->open(m.board);
  m.door = cluster::spawn_peer_door(world_->environment(), m.incarnation, ports);
  m.agent = cluster::spawn_agent(
      world_->environment(),
      {.name = m.name,
       .host = "machine " + std::to_string(i),
       .labels = m.labels,
       .total = m.total,
       .incarnation = m.incarnation,
       .release = "simulated",
       .self = {},
       .cache = &cache,
       .peer_host = m.name,
       .peer_port = 1,
       .ports = ports,
       .board = m.board,
       .load = [this](const load_code& x) -> result<library::application_code> {
         library::application_code out;
         out.deployments.resize(1);
         out.deployments[0].defaults.name = "worker";
         out.deployments[0].user_code = inner_.at(x.code);
         return out;
       },
       .later = [this](std::function<void()> job) { later(chance_.up_to(20ms) + 1ms, std::move(job)); },
       .lost =
           [this, i, start](const std::string&) {
             if (runs(i, start))
               later(chance_.up_to(faults_ ? 8'000ms : 200ms) + 1ms, [this, i, start] { dial(i, start); });
           },
       .turned_off = [this, i, start](const std::string& why) { end_itself(i, start, "is turned off: " + why); },
       .released = [this, i, start](bool) { end_itself(i, start, "has left"); },
       .joined = [](std::uint64_t) {}});
  caf::anon_send(m.board, cluster::board_opened{caf::actor_cast<cluster::route_watcher_actor>(m.agent)});
  dial(i, start);
}

void simulated_nodes::dial(std::size_t i, std::uint64_t start) {
  if (!runs(i, start))
    return;
  auto& m = machines_[i];
  if (m.line)
    m.line->end();
  m.line = std::make_shared<connection>(*world_);
  caf::anon_send(m.agent, cluster::agent_connected{
                              m.line->at_other_side(side::listener, caf::actor_cast<node_door_actor>(door_))});
}

void simulated_nodes::end_itself(std::size_t i, std::uint64_t start, std::string how) {
  if (!runs(i, start))
    return;
  later(1ms, [this, i, start, how = std::move(how)] {
    if (!runs(i, start))
      return;
    die(i, how);
    come_up_later(i, 10'000ms);
  });
}

void simulated_nodes::die(std::size_t i, const std::string& how) {
  auto& m = machines_[i];
  if (!m.agent)
    return;
  note(m.name + ": " + how);
  if (on_process_end)
    on_process_end(m.process);
  std::exchange(m.routers, nullptr)->close();
  caf::anon_send_exit(std::exchange(m.board, nullptr), caf::exit_reason::kill);
  caf::anon_send_exit(std::exchange(m.door, nullptr), caf::exit_reason::kill);
  end_peer_lines(i);
  if (m.line)
    std::exchange(m.line, nullptr)->end();
  caf::anon_send_exit(std::exchange(m.agent, nullptr), caf::exit_reason::kill);
}

simulated_nodes::process simulated_nodes::process_of(std::size_t i) const {
  const auto& m = machines_[i];
  return m.agent ? process{m.process, m.name, m.routers} : process{};
}

// -- what happens to them --------------------------------------------------------------------------------------------

void simulated_nodes::say(nodes::any_event what) { caf::anon_send(door_, nodes::operate_node{std::move(what)}); }

void simulated_nodes::operate() {
  auto& m = machines_[chance_.below(machines())];
  switch (chance_.below(8)) {
  case 0:
  case 1:
    note(m.name + " is cordoned");
    return say(nodes::event::cordon{m.name});
  case 2:
  case 3:
  case 4:
    note(m.name + " is uncordoned");
    return say(nodes::event::cordon{m.name, false});
  case 5:
    note(m.name + " is drained");
    return say(nodes::event::drain{m.name});
  case 6:
    note(m.name + " is removed");
    return say(nodes::event::remove{m.name, faults_ && chance_.one_in(4)});
  default:
    if (!m.agent || std::exchange(m.leaving, true))
      return;
    note(m.name + " is asked to end");
    caf::anon_send(m.agent, cluster::agent_leave{});
  }
}

void simulated_nodes::break_something() {
  if (distance_.one_in(3))
    return break_between_peers();
  const auto i = chance_.below(machines());
  auto& m = machines_[i];
  if (!m.agent)
    return;
  switch (chance_.below(3)) {
  case 0:
    die(i, "dies");
    return come_up_later(i, 20'000ms);
  case 1:
    note(m.name + " is cut off");
    if (m.line)
      m.line->end();
    m.alone_until = world_->now() + distance_.up_to(8'000ms);
    return end_peer_lines(i);
  default:
    if (!m.line)
      return;
    note(m.name + " freezes");
    m.line->freeze();
    if (distance_.one_in(2)) {
      const auto how_long = distance_.up_to(8'000ms) + 1ms;
      m.alone_until = world_->now() + how_long;
      freeze_peer_lines(i, {}, how_long);
    }
    later(chance_.up_to(8'000ms) + 1ms, [of = std::weak_ptr{m.line}] {
      if (const auto line = of.lock())
        line->thaw();
    });
  }
}

void simulated_nodes::heal(bool uncordon) {
  faults_ = false;
  healed_ = true;
  apart_until_.clear();
  for (auto& x : peer_lines_)
    x.over->thaw();
  for (std::size_t i = 0; i < machines_.size(); ++i) {
    come_up(i);
    machines_[i].alone_until = {};
    if (machines_[i].line)
      machines_[i].line->thaw();
    if (uncordon)
      say(nodes::event::cordon{machines_[i].name, false});
  }
}

} // namespace troupe::simulation_tests
