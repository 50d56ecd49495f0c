// Each replica has a router of its own here, with all the room that the daemon's router gives it. It has no timeouts: a
// begun request keeps its slot, here and there, until its handler is done; the daemon gives its caller the outcome.
#include <troupe/actors/replica/replica_actor.hpp>
#include <troupe/actors/router/router.hpp>
#include <troupe/actors/router/wire_call.hpp>
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

/// The way back of one replica's answers. It owns itself: calls that are still answered point at it, also when the
/// replica and the host are gone.
class answers final : public wire_receiver {
public:
  explicit answers(worker_replica_owner_actor to) : to_(std::move(to)) {}
  answers(const answers&) = delete;
  answers& operator=(const answers&) = delete;
  ~answers() override = default; // by `release` alone

  void answered(std::uint64_t id, std::string answer) noexcept override {
    send({id, 0, std::move(answer)});
    release();
  }
  void failed(std::uint64_t id, const error& why) noexcept override {
    send({id, static_cast<std::uint8_t>(why.code), why.message});
    release();
  }

  void retain() noexcept { references_.fetch_add(1); } ///< For a call whose outcome is to come.
  void release() noexcept {
    if (references_.fetch_sub(1) == 1)
      delete this;
  }

private:
  void send(worker_answer x) noexcept {
    worker_answers out;
    out.answers.push_back(std::move(x));
    caf::anon_send(to_, std::move(out));
  }

  const worker_replica_owner_actor to_;
  std::atomic<std::int64_t> references_{1};
};

struct releasing {
  void operator()(answers* x) const noexcept { x->release(); }
};

struct hosted {
  std::shared_ptr<const code> user_code;
  std::unique_ptr<answers, releasing> back; // before what holds calls
  std::shared_ptr<router> calls;
  cell* where = nullptr;
  replica_actor replica;
  replica_kind kind;
  std::shared_ptr<control::watched_deployment> watched;
};

} // namespace

struct orphan_box {
  std::vector<hosted> all;
};

namespace {

class host final : public node_host_actor::base {
public:
  host(caf::actor_config& cfg, std::shared_ptr<const control::environment> env, library::application_code code,
       std::function<void()> on_end, std::shared_ptr<replica_count> count)
      : node_host_actor::base(cfg), env_(std::move(env)), code_(std::move(code)), on_end_(std::move(on_end)),
        count_(count ? std::move(count) : std::make_shared<replica_count>(0)) {
    set_default_handler(caf::drop);
    set_down_handler([this](const caf::down_msg& m) { // of one that was given up, or adopted
      if (const auto it = given_up_.find(m.source); it != given_up_.end())
        given_up_.erase(it);
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
    drop_orphans_now();
    given_up_.clear();
    adopted_.clear();
    keeper_ = nullptr;
  }

protected:
  behavior_type make_behavior() override {
    return {
        [this](start_worker_replica& x) {
          if (!ending_ && !replicas_.contains(x.place))
            start(x);
        },
        [this](worker_calls& x) { take(x); },
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
    h.calls->shut({errc::unavailable, "the node has another controller, or ends"});
    --*count_;
  }

  // -- replicas without an owner

  void orphan(orphan_replicas& x) {
    user_ = x.user;
    keeper_ = std::move(x.to);
    adopted_.clear();
    for (auto& [place, h] : std::exchange(replicas_, {})) {
      if (h.kind.code == 0 || !is_up(h)) {
        end(h);
        continue;
      }
      h.calls->close(*h.where); // what had not begun there has its outcome elsewhere
      h.calls->refuse({errc::unavailable, "its controller is gone"});
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
    h.back.reset(new answers{x.owner});
    h.watched->stuck_after_ms.store(x.stuck_after.count());
    h.calls->accept();
    h.calls->open(*h.where);
    monitor(h.replica);
    adopted_[h.replica->address()] = {x.owner, x.replica};
    replica::adopt(h.replica, {x.replica, x.revision, x.owner});
    caf::anon_send<caf::message_priority::high>(x.owner, worker_replica_made{h.replica});
    caf::anon_send(keeper_, orphan_adopted{user_});
    return true;
  }

  void drop_orphans_now() {
    for (auto& h : std::exchange(orphans_, {}))
      end(h);
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
    ++*count_;
    h.user_code = found->user_code;
    h.back.reset(new answers{x.owner});
    router_options options;
    options.name = x.full_name;
    options.limits = {.max_ongoing = 1'000'000}; // the daemon's router keeps the limit
    options.number = x.place & 0xff'ffffU;
    h.calls = router::make(system(), std::move(options));
    h.where = &h.calls->acquire(x.replica);
    h.kind = std::move(x.kind);
    h.watched = std::make_shared<control::watched_deployment>();
    h.watched->name = std::move(x.full_name);
    h.watched->stuck_after_ms.store(x.stuck_after.count());
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
    caf::anon_send<caf::message_priority::high>(x.owner, worker_replica_made{h.replica});
  }

  void take(worker_calls& x) {
    const auto it = replicas_.find(x.place);
    if (it == replicas_.end())
      return;
    auto& h = it->second;
    for (auto& c : x.calls) {
      h.back->retain();
      auto call = h.user_code->read_call(c.key, c.request, *h.back, c.id);
      if (!call) {
        h.back->failed(c.id, {errc::signature_mismatch, h.user_code->traits().name + " cannot take this request"});
        continue;
      }
      call->ctx.request_number = c.context.request_number;
      if (c.context.remaining != wire_context::no_deadline)
        call->ctx.deadline = h.calls->now() + c.context.remaining;
      if (c.context.tags)
        call->ctx.tags = std::make_shared<const request_tags>(std::move(*c.context.tags));
      router::submit(h.calls, std::move(call), context());
    }
  }

  void drop(std::uint64_t place) {
    auto node = replicas_.extract(place);
    if (!node)
      return;
    --*count_;
    auto& h = node.mapped();
    h.calls->release(*h.where);
    h.calls->shut({errc::unavailable, "the replica is gone"});
  }

  /// Its cell is its own until its code lets go.
  void abandon(std::uint64_t place) {
    auto node = replicas_.extract(place);
    if (!node)
      return;
    --*count_;
    auto& h = node.mapped();
    if (!h.replica)
      return;
    h.calls->shut({errc::unavailable, "the replica was given up"});
    monitor(h.replica);
    caf::anon_send_exit(h.replica, caf::exit_reason::kill);
    const auto address = h.replica->address();
    given_up_.emplace(address, std::move(h));
  }

  const std::shared_ptr<const control::environment> env_;
  const library::application_code code_;
  std::function<void()> on_end_;
  const std::shared_ptr<replica_count> count_;
  bool ending_ = false;
  std::map<std::uint64_t, hosted> replicas_;
  std::map<caf::actor_addr, hosted> given_up_;
  orphan_keeper_actor keeper_;
  std::uint64_t user_ = 0;
  std::vector<hosted> orphans_;
  std::map<caf::actor_addr, adoption> adopted_; ///< Until they end.
};

} // namespace

worker_host_actor spawn_worker_host(std::shared_ptr<const control::environment> env, library::application_code code,
                                    std::function<void()> on_end, std::shared_ptr<replica_count> count) {
  caf::actor_config cfg;
  auto& system = env->system;
  return system.spawn_class<host, caf::no_spawn_options>(cfg, std::move(env), std::move(code), std::move(on_end),
                                                         std::move(count));
}

} // namespace troupe::worker
