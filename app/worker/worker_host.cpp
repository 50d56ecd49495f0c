// Each replica has a router of its own here, and a port by which requests come.
#include <troupe/actors/replica/replica_actor.hpp>
#include <troupe/actors/router/router.hpp>
#include <troupe/app/worker/replica_port.hpp>
#include <troupe/app/worker/worker_host.hpp>

#include <caf/actor_system.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <algorithm>
#include <atomic>
#include <iterator>
#include <map>
#include <utility>
#include <vector>

namespace troupe::worker {

namespace {

struct hosted {
  std::shared_ptr<const code> user_code;
  std::shared_ptr<router> calls;
  cell* where = nullptr;
  replica_actor replica;
  replica_ref ref; ///< As its owner knows it.
  replica_port_actor port;
  std::uint64_t port_number = 0;
  replica_kind kind;
  std::shared_ptr<control::watched_deployment> watched;
};

} // namespace

struct orphan_box {
  std::vector<hosted> all;
};

namespace {

std::uint64_t next_port() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

class host final : public node_host_actor::base {
public:
  host(caf::actor_config& cfg, std::shared_ptr<const control::environment> env, library::application_code code,
       std::function<void()> on_end, node_tables tables)
      : node_host_actor::base(cfg), env_(std::move(env)), code_(std::move(code)), on_end_(std::move(on_end)),
        tables_(std::move(tables)) {
    set_default_handler(caf::drop);
    set_down_handler([this](const caf::down_msg& m) { // of one that was given up, or adopted
      if (const auto it = given_up_.find(m.source); it != given_up_.end())
        given_up_.erase(it);
      if (const auto it = leaving_.find(m.source); it != leaving_.end()) {
        forget(it->second, true);
        leaving_.erase(it);
        look_whether_empty();
      }
      if (const auto it = adopted_.find(m.source); it != adopted_.end()) {
        // Perhaps it had ended before it heard of its new owner.
        caf::anon_send(it->second.owner,
                       replica_stopped{it->second.replica, stop_reason::killed, "it has ended before it was adopted"});
        adopted_.erase(it);
      }
    });
  }
  const char* name() const override { return "troupe.worker_host"; }

  /// Its process goes on, in a node: what it has ends.
  void on_exit() override {
    for (auto& [place, h] : std::exchange(replicas_, {}))
      end(h);
    for (auto& h : std::exchange(orphans_, {}))
      end(h);
    for (auto& [address, h] : std::exchange(leaving_, {}))
      end(h);
    given_up_.clear();
    adopted_.clear();
    keeper_ = nullptr;
  }

protected:
  behavior_type make_behavior() override {
    return {
        [this](start_worker_replica& x) {
          if (!ending_ && !is_to_leave_ && !replicas_.contains(x.place))
            start(x);
        },
        [this](const drop_worker_replica& x) { drop(x.place); },
        [this](const abandon_worker_replica& x) { abandon(x.place); },
        [this](orphan_replicas& x) { orphan(x); },
        [this](drop_orphans) {
          drop_orphans_now();
          keeper_ = nullptr;
        },
        [this](const hand_over_orphans& x) {
          auto box = std::make_shared<orphan_box>();
          box->all.swap(orphans_);
          caf::anon_send(caf::actor_cast<node_host_actor>(x.to), take_orphans{std::move(box)});
        },
        [this](take_orphans& x) {
          std::move(x.all->all.begin(), x.all->all.end(), std::back_inserter(orphans_));
          x.all->all.clear();
          if (keeper_)
            caf::anon_send(caf::actor_cast<orphan_watcher_actor>(keeper_), orphans_taken{user_});
        },
        [this](leave_when_empty) {
          drop_orphans_now();
          keeper_ = nullptr;
          is_to_leave_ = true;
          look_whether_empty();
        },
        [this](end_worker) {
          ending_ = true;
          if (auto f = std::exchange(on_end_, nullptr))
            f();
        },
    };
  }

private:
  struct adoption {
    worker_replica_owner_actor owner;
    replica_ref replica;
  };

  static bool is_up(const hosted& h) { return (h.where->standing.load(std::memory_order_relaxed) & cell::up) != 0; }
  static bool was_configured(const hosted& h) {
    return (h.where->standing.load(std::memory_order_relaxed) & cell::configured) != 0;
  }

  /// It keeps its router until it has ended.
  void end(hosted& h) {
    caf::anon_send_exit(h.replica, caf::exit_reason::user_shutdown);
    forget(h, h.where->closed()); // its `drop` may come later than what ends the host
  }

  /// Who still calls it is refused, or sees its end where it has not ended in order.
  void forget(hosted& h, bool in_order = false) {
    h.calls->shut({errc::unavailable, "the replica is gone"});
    if (in_order)
      close_replica_port(h.port);
    else
      caf::anon_send_exit(h.port, caf::exit_reason::user_shutdown);
    if (tables_.ports)
      tables_.ports->remove(h.port_number);
    if (tables_.replicas)
      --*tables_.replicas;
  }

  void look_whether_empty() {
    if (is_to_leave_ && leaving_.empty() && replicas_.empty())
      quit();
  }

  // -- replicas without an owner

  void orphan(orphan_replicas& x) {
    user_ = x.user;
    keeper_ = std::move(x.to);
    adopted_.clear();
    for (auto& [place, h] : std::exchange(replicas_, {})) {
      if (h.where->closed()) { // it was told to stop
        leave(h);
        continue;
      }
      if (h.kind.code == 0 || !is_up(h)) {
        end(h);
        continue;
      }
      orphans_.push_back(std::move(h));
    }
    worker_orphans out{user_, {}};
    for (const auto& h : orphans_)
      out.kinds.push_back(h.kind);
    caf::anon_send(keeper_, std::move(out));
  }

  /// One of the same kind that is up. A config cannot be taken back: one that had one is for who has one, too.
  bool adopt(start_worker_replica& x) {
    const auto it = std::find_if(orphans_.begin(), orphans_.end(), [&](const hosted& h) {
      return h.kind == x.kind && is_up(h) && (x.configures || !was_configured(h));
    });
    if (x.kind.code == 0)
      return false;
    if (it == orphans_.end()) {
      if (keeper_)
        caf::anon_send(caf::actor_cast<orphan_watcher_actor>(keeper_), orphan_missed{user_});
      return false;
    }
    auto& h = replicas_[x.place];
    h = std::move(*it);
    orphans_.erase(it);
    h.ref = x.replica;
    h.watched->stuck_after_ms.store(x.stuck_after.count());
    monitor(h.replica);
    adopted_[h.replica->address()] = {x.owner, x.replica};
    replica::adopt(h.replica, {x.replica, x.revision, x.owner});
    caf::anon_send<caf::message_priority::high>(x.owner, worker_replica_made{h.replica, h.port, h.port_number});
    caf::anon_send(keeper_, orphan_adopted{user_});
    return true;
  }

  /// What they have begun, for whoever still reaches them, ends first.
  void drop_orphans_now() {
    for (auto& h : std::exchange(orphans_, {}))
      leave(h);
  }

  void leave(hosted& h) {
    monitor(h.replica);
    caf::anon_send(h.replica, stop_replica{h.ref.id});
    const auto address = h.replica->address();
    leaving_.emplace(address, std::move(h));
  }

  void start(start_worker_replica& x) {
    if (adopt(x))
      return;
    const auto found = std::find_if(code_.deployments.begin(), code_.deployments.end(),
                                    [&](const auto& d) { return d.defaults.name == x.deployment; });
    if (found == code_.deployments.end()) {
      caf::anon_send(x.owner, replica_stopped{x.replica, stop_reason::start_failed,
                                              code_.import_path + " declares no deployment " + x.deployment});
      return;
    }
    auto& h = replicas_[x.place];
    if (tables_.replicas)
      ++*tables_.replicas;
    h.user_code = found->user_code;
    h.ref = x.replica;
    router_options options;
    options.name = x.full_name;
    options.limits = {.max_ongoing = 1'000'000}; // the port keeps the limit
    options.single = true;
    options.number = x.place & 0xff'ffffU;
    h.calls = router::make(system(), std::move(options));
    h.where = &h.calls->acquire(x.replica);
    h.kind = std::move(x.kind);
    h.watched = std::make_shared<control::watched_deployment>();
    h.watched->name = std::move(x.full_name);
    h.watched->stuck_after_ms.store(x.stuck_after.count());
    h.port = spawn_replica_port(system(), {h.user_code, h.calls, h.where});
    h.port_number = next_port();
    if (tables_.ports)
      tables_.ports->add(h.port_number, h.port);
    h.replica = replica::spawn_replica(env_, {.ref = x.replica,
                                              .revision = x.revision,
                                              .user_code = h.user_code,
                                              .init_args = std::move(x.init_args),
                                              .user_config = {},
                                              .calls = h.calls,
                                              .where = h.where,
                                              .owner = x.owner,
                                              .execution = x.execution,
                                              .deployment = h.watched});
    h.where->actor = caf::actor_cast<caf::strong_actor_ptr>(h.replica);
    h.calls->open(*h.where); // the replica begins none before it is ready
    caf::anon_send<caf::message_priority::high>(x.owner, worker_replica_made{h.replica, h.port, h.port_number});
  }

  void drop(std::uint64_t place) {
    auto node = replicas_.extract(place);
    if (!node)
      return;
    auto& h = node.mapped();
    h.calls->release(*h.where);
    forget(h, true);
    look_whether_empty();
  }

  /// Its cell is its own until its code lets go.
  void abandon(std::uint64_t place) {
    auto node = replicas_.extract(place);
    if (!node)
      return;
    auto& h = node.mapped();
    forget(h);
    if (!h.replica)
      return;
    monitor(h.replica);
    caf::anon_send_exit(h.replica, caf::exit_reason::kill);
    const auto address = h.replica->address();
    given_up_.emplace(address, std::move(h));
  }

  const std::shared_ptr<const control::environment> env_;
  const library::application_code code_;
  std::function<void()> on_end_;
  const node_tables tables_;
  bool ending_ = false;
  bool is_to_leave_ = false;
  std::map<std::uint64_t, hosted> replicas_;
  std::map<caf::actor_addr, hosted> given_up_;
  orphan_keeper_actor keeper_;
  std::uint64_t user_ = 0;
  std::vector<hosted> orphans_;
  std::map<caf::actor_addr, hosted> leaving_;   ///< They end as what they have begun does.
  std::map<caf::actor_addr, adoption> adopted_; ///< Until they end.
};

} // namespace

worker_host_actor spawn_worker_host(std::shared_ptr<const control::environment> env, library::application_code code,
                                    std::function<void()> on_end, node_tables tables) {
  caf::actor_config cfg;
  auto& system = env->system;
  return system.spawn_class<host, caf::no_spawn_options>(cfg, std::move(env), std::move(code), std::move(on_end),
                                                         std::move(tables));
}

} // namespace troupe::worker
