// The shell of a node: joining, code, hosts, and what it brings along.
// long file: one shell
#include <troupe/actors/nodes/node_code.hpp>
#include <troupe/app/cluster/agent.hpp>
#include <troupe/app/cluster/guard.hpp>
#include <troupe/app/cluster/proof.hpp>
#include <troupe/app/worker/worker_host.hpp>

#include <caf/actor_cast.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace troupe::cluster {

namespace {

constexpr std::size_t watched_at_once = 1'000; ///< Deployments in one message.
constexpr milliseconds time_to_hear{1'000};    ///< That a replica which was here takes no more requests.

class shell : public control::control_actor<agent_actor> {
public:
  shell(caf::actor_config& cfg, control::environment_ptr env, agent_boot b)
      : control_actor(cfg, std::move(env)), boot_(std::move(b)) {
    set_down_handler([this](const caf::down_msg& m) {
      if (door_ && m.source == door_->address())
        lose("the connection has ended");
    });
    set_exit_handler([this](caf::exit_msg& m) {
      end_all();
      quit(std::move(m.reason));
    });
  }

  const char* name() const override { return "troupe.node_agent"; }

  void on_exit() override {
    end_all();
    door_ = nullptr;
    boot_ = {};
  }

protected:
  behavior_type make_behavior() override {
    return {
        [this](node_challenge& m) { answer(m); },
        [this](node_refused& m) { refused(m); },
        [this](node_welcome& m) { welcome(m); },
        [this](load_code& m) {
          if (m.node == node_ && node_ != 0)
            load(m);
        },
        [this](const unload_code& m) {
          if (m.node == node_)
            unload(m.code);
        },
        [this](const node_released& m) {
          if (m.node == node_ && node_ != 0)
            take_leave();
        },
        [this](agent_farewell) {
          if (leaving_)
            boot_.released(true);
          else
            turn_off("an operator has removed this node");
        },
        [this](agent_connected& m) {
          if (is_released_)
            return; // it ends, and is not to join again
          door_ = std::move(m.door);
          asked_ = link_ = 0;
          monitor(door_);
          post(door_, node_knock{node_wire_version, boot_.release, caf::actor_cast<node_agent_actor>(this)});
        },
        [this](agent_leave) {
          leaving_ = true;
          if (is_released_)
            return;
          if (link_ != 0 && node_ != 0)
            post(door_, node_leaving{node_});
          else
            boot_.released(*replicas_ == 0); // nobody is there to take over
        },
        [this](const agent_tick& m) {
          if (!words_.take(m.epoch) || link_ == 0)
            return;
          post(door_, node_word{link_});
          tick_after(word_every_, agent_tick{words_.arm()});
        },
        [this](agent_loaded& m) { loaded(m); },
        [this](worker_orphans& m) { take_in(m); },
        [this](const orphan_adopted& m) {
          const auto it = homes_.find(m.user);
          if (it == homes_.end() || !settling_)
            return;
          ++adopted_;
          look_whether_settled();
        },
        [this](const worker::orphan_missed& m) {
          if (!settling_ || homes_.find(m.user) == homes_.end())
            return;
          ++missed_;
          look_whether_settled();
        },
        [this](const worker::orphans_taken&) {
          if (settling_ && merges_ > 0 && --merges_ == 0)
            say_what_it_brings();
        },
        [this](const node_settle& m) {
          if (m.node != node_ || !settling_)
            return;
          wanted_ = m.adopted;
          look_whether_settled();
        },
        // routers of this process
        [this](replica_sets& m) {
          if (is_door() && boot_.board)
            caf::anon_send(boot_.board, board_sets{std::move(m)});
        },
        [this](node_routes& m) {
          if (is_door() && boot_.board)
            caf::anon_send(boot_.board, board_paths{std::move(m)});
        },
        [this](watch_routes& m) {
          if (link_ != 0)
            post(door_, watch_deployments{node_, m.names});
          watched_.insert(std::make_move_iterator(m.names.begin()), std::make_move_iterator(m.names.end()));
        },
        [this](const agent_adoption_end& m) {
          if (adoption_.take(m.epoch) && settling_)
            settle();
        },
    };
  }

private:
  struct hosted {
    std::uint64_t user = 0;
    worker_host_actor host; ///< Null until it is loaded.
    std::shared_ptr<const load_code> what;
  };

  // -- joining

  void answer(node_challenge& m) {
    if (!is_door() || asked_ != 0) // one answer on each connection: of two admissions the older may be heard last
      return;
    asked_ = m.link;
    if (m.wire_version != node_wire_version)
      return turn_off("the controller (release " + m.release.substr(0, 64) + ") speaks version " +
                      std::to_string(m.wire_version) + " of the nodes' protocol, this node " +
                      std::to_string(node_wire_version) + "; run the same release on both");
    node_join out;
    out.link = m.link;
    out.name = boot_.name;
    out.incarnation = boot_.incarnation;
    out.host = boot_.host;
    out.labels = boot_.labels;
    out.total = boot_.total;
    out.peer_host = boot_.peer_host;
    out.peer_port = boot_.peer_port;
    controller_ = std::move(m.controller);
    if (boot_.self) {
      if (m.nonce.empty())
        return turn_off("the controller asks for no proof: it has no certificates, and this node has; start it "
                        "with --cluster-dir");
      auto nonce = make_nonce();
      auto proof = prove_node(*boot_.self, {m.nonce, controller_, to_string(system().node())});
      if (!nonce || !proof)
        return lose((nonce ? proof.why() : nonce.why()).message);
      nonce_ = *nonce;
      out.nonce = std::move(*nonce);
      out.proof = std::move(*proof);
    }
    post(door_, std::move(out));
  }

  void refused(node_refused& m) {
    if (!is_door())
      return;
    if (m.for_good)
      turn_off(std::move(m.why));
    else
      lose(std::move(m.why));
  }

  void welcome(node_welcome& m) {
    if (!is_door() || m.link != asked_ || link_ != 0)
      return;
    if (boot_.self) {
      const auto nonce = std::exchange(nonce_, {});
      const auto proved = check_controller(*boot_.self, {nonce, controller_, to_string(system().node())}, m.proof);
      if (nonce.empty() || !proved)
        return turn_off("whoever answers there is not the controller of this cluster: " +
                        (nonce.empty() ? "it did not answer the challenge" : proved.why().message));
    }
    link_ = m.link;
    node_ = m.node;
    word_every_ = std::max(m.word_every, milliseconds{10});
    boot_.cache->connected(m.code);
    if (!m.resumed)
      offer_all(m.adopt_within);
    else if (!settling_)
      post(door_, node_settled{node_});
    else
      tick_after(m.adopt_within, agent_adoption_end{adoption_.arm()});
    post(door_, node_word{link_});
    tick_after(word_every_, agent_tick{words_.arm()});
    for (auto it = watched_.begin(); it != watched_.end();) {
      watch_deployments out{node_, {}};
      for (; it != watched_.end() && out.names.size() < watched_at_once; ++it)
        out.names.push_back(*it);
      post(door_, std::move(out));
    }
    boot_.joined(node_);
    if (leaving_)
      post(door_, node_leaving{node_});
  }

  /// Routers of other nodes may still send something to the replicas that were here: it is refused, and goes elsewhere,
  /// while with the process it would be lost.
  void take_leave() {
    if (door_)
      demonitor(door_->address());
    door_ = nullptr;
    link_ = node_ = 0;
    words_.disarm();
    adoption_.disarm();
    is_released_ = true;
    boot_.cache->disconnected();
    tick_after(last_user_ > 0 ? time_to_hear : milliseconds{0}, agent_farewell{});
  }

  /// Its process ends, one way or the other.
  void turn_off(std::string why) {
    if (leaving_)
      boot_.released(*replicas_ == 0);
    else
      boot_.turned_off(std::move(why));
  }

  /// Replicas stay until a controller says what they are.
  void lose(std::string why) {
    if (!door_)
      return;
    demonitor(door_->address());
    door_ = nullptr;
    link_ = 0;
    words_.disarm();
    adoption_.disarm(); // nobody is there to adopt them, nor to want something else
    boot_.cache->disconnected();
    if (leaving_)
      boot_.released(*replicas_ == 0);
    boot_.lost(std::move(why));
  }

  bool is_door() { return door_ && current_sender() && current_sender()->address() == door_->address(); }

  // -- what it brings: hosts whose replicas have no owner, until these are adopted or ended

  void offer_all(milliseconds within) {
    adoption_.disarm();
    settling_ = true;
    brought_ = adopted_ = missed_ = 0;
    merges_ = 0;
    wanted_.reset();
    kinds_.clear();
    if (leaving_)
      end_all();
    for (auto& [code, h] : std::exchange(codes_, {})) {
      if (h.host)
        homes_.emplace(h.user, std::move(h));
      else
        boot_.cache->drop(h.user);
    }
    asked_homes_.clear();
    for (const auto& [user, h] : homes_) {
      asked_homes_.insert(user);
      caf::anon_send(h.host, orphan_replicas{user, caf::actor_cast<orphan_keeper_actor>(this)});
    }
    if (asked_homes_.empty())
      return settle();
    tick_after(within, agent_adoption_end{adoption_.arm()});
  }

  void take_in(worker_orphans& m) {
    if (!settling_ || asked_homes_.erase(m.user) == 0)
      return;
    kinds_.insert(kinds_.end(), std::make_move_iterator(m.kinds.begin()), std::make_move_iterator(m.kinds.end()));
    if (!asked_homes_.empty())
      return;
    for (const auto& [user, h] : homes_) // several loads of one code: a controller that starts again has one of it
      if (const auto first = home_of(*h.what); first->first != user) {
        ++merges_;
        caf::anon_send(caf::actor_cast<worker::node_host_actor>(h.host), worker::hand_over_orphans{first->second.host});
      }
    if (merges_ == 0)
      say_what_it_brings();
  }

  void say_what_it_brings() {
    brought_ = static_cast<std::uint32_t>(kinds_.size());
    if (brought_ == 0)
      settle();
    else if (door_)
      post(door_, node_brings{node_, std::exchange(kinds_, {})});
  }

  /// What the controller has adopted is ordered over other ways than its word that it wants no more.
  void look_whether_settled() {
    if (wanted_ && adopted_ + missed_ >= *wanted_)
      settle();
  }

  void settle() {
    settling_ = false;
    adoption_.disarm();
    for (auto& [user, h] : std::exchange(homes_, {})) {
      const auto is_it = [user = user](const auto& x) { return x.second.user == user; };
      if (std::any_of(codes_.begin(), codes_.end(), is_it)) {
        caf::anon_send(h.host, drop_orphans{});
        continue;
      }
      caf::anon_send(caf::actor_cast<worker::node_host_actor>(h.host), worker::leave_when_empty{});
      boot_.cache->drop(user);
    }
    if (door_)
      post(door_, node_settled{node_, brought_, adopted_});
  }

  // -- code

  std::map<std::uint64_t, hosted>::const_iterator home_of(const load_code& what) const {
    return std::find_if(homes_.begin(), homes_.end(),
                        [&](const auto& x) { return nodes::loads_the_same(*x.second.what, what); });
  }

  /// A host that is there already, with what is to be loaded: for the base and the target, where they are the same
  /// code.
  bool load_again(const load_code& m) {
    const auto it = home_of(m);
    if (it == homes_.end())
      return false;
    codes_[m.code] = it->second;
    post(door_, code_loaded{node_, m.code, 0, {}, it->second.host});
    return true;
  }

  void load(load_code& m) {
    if (codes_.find(m.code) == codes_.end() && load_again(m))
      return;
    const auto [it, is_new] = codes_.try_emplace(m.code);
    if (!is_new) {
      if (it->second.host) // the answer was lost
        post(door_, code_loaded{node_, m.code, 0, {}, it->second.host});
      return;
    }
    const auto user = it->second.user = ++last_user_;
    auto files = m.files;
    const auto me = caf::actor_cast<agent_actor>(this);
    auto what = std::make_shared<const load_code>(std::move(m));
    it->second.what = what;
    const auto& digest = what->digest;
    const auto tell = [me, user, number = what->code](result<library::application_code> got) {
      agent_loaded out{user, number, nullptr, {}};
      if (got)
        out.what = std::make_shared<const library::application_code>(std::move(*got));
      else
        out.why = got.why();
      caf::anon_send(me, std::move(out));
    };
    boot_.cache->need(user, digest, std::move(files),
                      [tell, what, later = boot_.later, load = boot_.load](const std::optional<error>& failed) {
                        if (failed)
                          return tell(*failed);
                        later([tell, what, load] { tell(load(*what)); });
                      });
  }

  void loaded(agent_loaded& m) {
    const auto it = codes_.find(m.code);
    if (it == codes_.end() || it->second.user != m.user)
      return; // not wanted any more
    code_loaded out;
    out.node = node_;
    out.code = m.code;
    if (m.what) {
      it->second.host = worker::spawn_worker_host(shared_env(), *m.what, {}, {replicas_, boot_.ports});
      out.host = it->second.host;
    } else {
      out.failure_code = static_cast<std::uint8_t>(m.why.code);
      out.failure = std::move(m.why.message);
      codes_.erase(it);
      boot_.cache->drop(m.user);
    }
    if (door_)
      post(door_, std::move(out));
  }

  void unload(std::uint64_t code) {
    const auto it = codes_.find(code);
    if (it == codes_.end())
      return;
    const auto gone = std::move(it->second);
    codes_.erase(it);
    const auto is_it = [&](const auto& x) { return x.second.user == gone.user; };
    if (homes_.count(gone.user) > 0 || std::any_of(codes_.begin(), codes_.end(), is_it))
      return; // it ends with what is still to be adopted there, or with the other code
    if (gone.host)
      caf::anon_send_exit(gone.host, caf::exit_reason::user_shutdown);
    boot_.cache->drop(gone.user);
  }

  void end_all() {
    while (!codes_.empty())
      unload(codes_.begin()->first);
    for (const auto& [user, h] : std::exchange(homes_, {})) {
      caf::anon_send_exit(h.host, caf::exit_reason::user_shutdown);
      boot_.cache->drop(user);
    }
  }

  agent_boot boot_;
  node_door_actor door_; ///< Null: there is no connection.
  std::string controller_;
  std::string nonce_;
  std::uint64_t asked_ = 0; ///< The link that it wants to join by; 0 = there was no challenge yet.
  std::uint64_t link_ = 0;  ///< 0 = not welcome yet.
  std::uint64_t node_ = 0;
  bool leaving_ = false;
  bool is_released_ = false; ///< Its process ends soon.
  milliseconds word_every_{600};
  control::tick_epoch words_;
  std::uint64_t last_user_ = 0;
  std::map<std::uint64_t, hosted> codes_;

  std::map<std::uint64_t, hosted>
      homes_; ///< Of replicas to be adopted, by user; those adopted from are in `codes_`, too.
  bool settling_ = false;
  std::set<std::uint64_t> asked_homes_; ///< Those that have not said what they have.
  std::vector<replica_kind> kinds_;
  std::uint32_t brought_ = 0, adopted_ = 0, missed_ = 0;
  std::size_t merges_ = 0;              ///< Homes whose replicas are on their way to another of the same code.
  std::optional<std::uint32_t> wanted_; ///< So many are adopted, and no more will be.
  control::tick_epoch adoption_;
  std::set<deployment_name> watched_; ///< By routers of this process.
  const std::shared_ptr<worker::replica_count> replicas_ = std::make_shared<worker::replica_count>(0);
};

} // namespace

agent_actor spawn_agent(const control::environment_ptr& env, agent_boot b) {
  return control::spawn_control<shell>(env, std::move(b));
}

} // namespace troupe::cluster
