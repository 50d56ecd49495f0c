// What a node's process knows of replicas, and the actors that stand for those that its routers use.
#include <troupe/actors/replica/far_replica.hpp>
#include <troupe/app/cluster/node_routes.hpp>
#include <troupe/app/cluster/route_board.hpp>
#include <troupe/messages/node.hpp>

#include <caf/actor_cast.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <set>
#include <utility>

namespace troupe::cluster {

namespace {

constexpr milliseconds first_pause{100};
constexpr milliseconds longest_pause{2'000};

class board final : public control::control_actor<route_board_actor> {
public:
  board(caf::actor_config& cfg, control::environment_ptr env, board_boot b)
      : control_actor(cfg, std::move(env)), boot_(std::move(b)) {
    set_down_handler([this](const caf::down_msg& m) { went_down(m.source); });
  }

  const char* name() const override { return "troupe.route_board"; }

  void on_exit() override {
    for (auto& [name, d] : deployments_)
      for (auto& [key, f] : d.replicas)
        caf::anon_send_exit(f.actor, caf::exit_reason::user_shutdown);
    deployments_.clear();
    peers_.clear();
    watcher_ = nullptr;
    boot_ = {};
  }

protected:
  behavior_type make_behavior() override {
    return {
        // from other nodes
        [this](const peer_here& m) { met(m); },
        [this](port_found& m) { found(m); },
        // from the controller
        [this](board_sets& m) {
          for (auto& p : m.sets.peers)
            know(std::move(p));
          for (const auto& s : m.sets.sets)
            apply(s);
          forget_peers(); // only now: the peers are those of all sets
        },
        [this](const board_paths& m) {
          if (boot_.set_routes)
            set_routes(m.paths);
        },
        // of this process
        [this](board_opened& m) {
          watcher_ = std::move(m.watcher);
          std::vector<deployment_name> names;
          for (const auto& [name, d] : deployments_)
            names.push_back(name);
          if (!names.empty())
            caf::anon_send(watcher_, watch_routes{std::move(names)});
        },
        [this](board_router& m) {
          deployments_[m.name].calls = std::move(m.calls);
          if (watcher_)
            caf::anon_send(watcher_, watch_routes{{m.name}});
        },
        [this](board_connected& m) { connected(m); },
        [this](const board_ended& m) { ended(m); },
        [this](const board_tick& m) {
          if (m.incarnation == boot_.incarnation)
            return seek_all(m.incarnation);
          if (const auto it = peers_.find(m.incarnation); it != peers_.end() && it->second.is_pausing) {
            it->second.is_pausing = false;
            reach(m.incarnation);
          }
        },
    };
  }

private:
  /// One that the controller has named: its process, and its port there.
  using key = std::pair<std::uint64_t, std::uint64_t>;
  struct far {
    std::uint64_t replica = 0;
    std::uint64_t ask = 0;            ///< Its port was asked for; 0 = it was not.
    replica::far_replica_actor actor; ///< Null until its port is found.
    std::uint64_t number = 0;         ///< Of that actor.
  };
  struct deployment {
    std::shared_ptr<router> calls;
    std::uint64_t epoch = 0; ///< 0 = nothing was heard of it.
    std::map<key, far> replicas;
  };
  struct asked {
    deployment_name name;
    key which;
  };
  struct peer {
    peer_address where;
    peer_door_actor door; ///< Null: there is no connection.
    bool is_met = false;  ///< It speaks the same version.
    bool is_connecting = false;
    bool is_pausing = false;
    milliseconds pause = first_pause;
  };

  // -- what the controller says

  void know(peer_address x) {
    if (x.incarnation == boot_.incarnation)
      return;
    auto& p = peers_[x.incarnation];
    p.where = std::move(x);
  }

  void apply(const replica_set& s) {
    const auto it = deployments_.find(s.name);
    if (it == deployments_.end() || !it->second.calls)
      return;
    auto& d = it->second;
    if (s.epoch <= d.epoch)
      return;
    if (s.after != 0 && s.after != d.epoch) { // something is missing
      if (watcher_)
        caf::anon_send(watcher_, watch_routes{{s.name}});
      return;
    }
    d.epoch = s.epoch;
    boot_.routers->heard(s.name, s.refusal.empty() || !s.signatures.empty(), s.signatures);
    const auto now = d.calls->limits();
    if (now.max_ongoing != s.max_ongoing || now.max_queued != s.max_queued || now.idempotent != s.idempotent)
      d.calls->set_limits({std::max(s.max_ongoing, 1U), s.max_queued, s.idempotent});
    std::set<key> named;
    for (const auto& x : s.opened) {
      named.insert({x.incarnation, x.port});
      add(s.name, d, x);
    }
    std::vector<key> gone;
    if (s.after == 0)
      for (const auto& [k, f] : d.replicas)
        if (named.count(k) == 0)
          gone.push_back(k);
    for (const auto& x : s.closed)
      if (const key k{x.incarnation, x.port}; named.count(k) == 0) // else it has another owner's number by now
        gone.push_back(k);
    for (const auto& k : gone)
      remove(d, k);
    if (s.refusal.empty())
      d.calls->accept();
    else
      d.calls->refuse({errc::unavailable, s.refusal});
  }

  void add(const deployment_name& name, deployment& d, const replica_route& x) {
    const key k{x.incarnation, x.port};
    const auto [it, is_new] = d.replicas.try_emplace(k);
    it->second.replica = x.replica; // an adopted one has another number
    if (is_new)
      seek(name, k, it->second);
  }

  void remove(deployment& d, const key& k) {
    const auto it = d.replicas.find(k);
    if (it == d.replicas.end())
      return;
    asks_.erase(it->second.ask);
    if (it->second.actor)
      caf::anon_send(it->second.actor, replica::close_far_replica{});
    d.replicas.erase(it);
  }

  void set_routes(const node_routes& m) {
    boot_.set_routes(ingress_routes_of(m, [this](const deployment_name& name) { return boot_.routers->of(name); }));
  }

  // -- from a name to a port

  void seek(const deployment_name& name, const key& k, far& f) {
    if (f.actor || f.ask != 0)
      return;
    if (k.first == boot_.incarnation) {
      if (auto port = boot_.ports->find(k.second))
        attach(name, k, f, std::move(port));
      return;
    }
    const auto it = peers_.find(k.first);
    if (it == peers_.end())
      return; // the controller does not know where that is
    if (!it->second.is_met)
      return reach(k.first);
    f.ask = ++last_ask_;
    asks_.emplace(f.ask, asked{name, k});
    post(it->second.door, find_port{f.ask, k.second, caf::actor_cast<peer_seeker_actor>(this)});
  }

  void found(port_found& m) {
    const auto it = asks_.find(m.ask);
    if (it == asks_.end() || !is_from(it->second.which.first))
      return;
    const auto of = std::move(it->second);
    asks_.erase(it);
    auto& d = deployments_.at(of.name);
    const auto at = d.replicas.find(of.which);
    if (at == d.replicas.end())
      return;
    at->second.ask = 0;
    if (m.port && !at->second.actor) // else it has ended there, and the controller will say so
      attach(of.name, of.which, at->second, std::move(m.port));
  }

  void attach(const deployment_name& name, const key& k, far& f, replica_port_actor port) {
    auto& calls = deployments_.at(name).calls;
    f.number = ++last_number_;
    replica::far_boot b;
    b.calls = calls;
    b.where = &calls->acquire({f.replica, 0}, k.first == boot_.incarnation);
    b.port = std::move(port);
    b.on_end = [me = caf::actor_cast<caf::actor_addr>(this), name, k, number = f.number](bool) {
      if (auto board = caf::actor_cast<caf::strong_actor_ptr>(me))
        caf::anon_send(caf::actor_cast<route_board_actor>(board), board_ended{name, k.first, k.second, number});
    };
    f.actor = replica::spawn_far_replica(shared_env(), std::move(b));
  }

  /// One that was not closed is out of reach; or has ended, and the controller will say so.
  void ended(const board_ended& m) {
    const auto it = deployments_.find(m.name);
    if (it == deployments_.end())
      return;
    const auto at = it->second.replicas.find({m.incarnation, m.port});
    if (at == it->second.replicas.end() || at->second.number != m.number)
      return;
    at->second.actor = nullptr;
    if (m.incarnation == boot_.incarnation)
      tick_after(longest_pause, board_tick{m.incarnation});
    else
      pause(m.incarnation);
  }

  // -- other processes

  bool is_wanted(std::uint64_t incarnation) const {
    return std::any_of(deployments_.begin(), deployments_.end(), [&](const auto& d) {
      const auto it = d.second.replicas.lower_bound({incarnation, 0});
      return it != d.second.replicas.end() && it->first.first == incarnation;
    });
  }

  /// Has what is there found, over a connection if there is one.
  void reach(std::uint64_t incarnation) {
    auto& p = peers_.at(incarnation);
    if (p.is_connecting || p.is_pausing || p.where.port == 0)
      return;
    if (p.is_met)
      return seek_all(incarnation);
    if (p.door || !is_wanted(incarnation))
      return; // it has not answered yet; or nobody waits for it
    p.is_connecting = true;
    boot_.later([where = p.where, connect = boot_.connect, me = caf::actor_cast<route_board_actor>(this)] {
      auto got = connect(where);
      board_connected out{where.incarnation, {}, {}};
      if (got)
        out.door = std::move(*got);
      else
        out.why = got.why().message;
      caf::anon_send(me, std::move(out));
    });
  }

  void seek_all(std::uint64_t incarnation) {
    for (auto& [name, d] : deployments_)
      for (auto it = d.replicas.lower_bound({incarnation, 0}); it != d.replicas.end() && it->first.first == incarnation;
           ++it)
        seek(name, it->first, it->second);
  }

  bool is_from(std::uint64_t incarnation) {
    const auto it = peers_.find(incarnation);
    return it != peers_.end() && it->second.door && current_sender() &&
           it->second.door->address() == current_sender()->address();
  }

  void connected(board_connected& m) {
    const auto it = peers_.find(m.incarnation);
    if (it == peers_.end())
      return;
    auto& p = it->second;
    p.is_connecting = false;
    if (!m.door) {
      env().log(control::log_level::debug, "node " + p.where.name + " is out of reach: " + m.why);
      return pause(m.incarnation);
    }
    p.door = std::move(m.door);
    monitor(p.door);
    post(p.door, peer_knock{node_wire_version, caf::actor_cast<peer_seeker_actor>(this)});
  }

  void met(const peer_here& m) {
    if (is_from(m.incarnation) && m.wire_version == node_wire_version) {
      auto& p = peers_.at(m.incarnation);
      if (std::exchange(p.is_met, true))
        return;
      p.pause = first_pause;
      reach(m.incarnation);
    }
    // Whom else it was taken for: a process that was there before it, or one of another release.
    for (auto& [incarnation, p] : peers_)
      if (!p.is_met && is_from(incarnation)) {
        env().log(control::log_level::warning, "node " + p.where.name +
                                                   " is another process by now, or of another release: no requests go "
                                                   "there");
        p.door = nullptr;
        p.pause = longest_pause;
        pause(incarnation);
      }
  }

  void went_down(const caf::actor_addr& who) {
    for (auto& [incarnation, p] : peers_)
      if (p.door && p.door->address() == who) {
        p.door = nullptr;
        p.is_met = false;
        for (auto it = asks_.begin(); it != asks_.end();)
          if (it->second.which.first == incarnation) {
            deployments_.at(it->second.name).replicas.at(it->second.which).ask = 0;
            it = asks_.erase(it);
          } else {
            ++it;
          }
        pause(incarnation);
      }
    forget_peers();
  }

  void pause(std::uint64_t incarnation) {
    const auto it = peers_.find(incarnation);
    if (it == peers_.end() || it->second.is_pausing)
      return;
    it->second.is_pausing = true;
    tick_after(it->second.pause, board_tick{incarnation});
    if (!it->second.is_met) // else a replica has ended there, as they do
      it->second.pause = std::min(it->second.pause * 2, longest_pause);
  }

  void forget_peers() {
    for (auto it = peers_.begin(); it != peers_.end();)
      it = !it->second.door && !it->second.is_connecting && !is_wanted(it->first) ? peers_.erase(it) : std::next(it);
  }

  board_boot boot_;
  route_watcher_actor watcher_;
  std::map<deployment_name, deployment> deployments_;
  std::map<std::uint64_t, peer> peers_; ///< By incarnation.
  std::map<std::uint64_t, asked> asks_;
  std::uint64_t last_ask_ = 0;
  std::uint64_t last_number_ = 0;
};

} // namespace

route_board_actor spawn_route_board(const control::environment_ptr& env, board_boot b) {
  return control::spawn_control<board>(env, std::move(b));
}

} // namespace troupe::cluster
