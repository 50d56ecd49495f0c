// The shell of the nodes machine: connections in, orders out, and for each replica on a node its place there.
// long file: one shell; what it decides is in the machine
#include <troupe/actors/nodes/door_actor.hpp>
#include <troupe/actors/nodes/route_book.hpp>

#include <caf/actor_cast.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <variant>

namespace troupe::nodes {

namespace {

constexpr milliseconds word_every{600};
constexpr milliseconds time_to_say{2'000};    ///< What it brings, for a node that has joined just in time.
constexpr std::size_t most_brought = 100'000; ///< By one node.
constexpr std::size_t most_watched = 10'000;  ///< Deployments, by one node.
constexpr std::size_t longest_host = 256;

class shell : public control::control_actor<door_actor> {
public:
  shell(caf::actor_config& cfg, control::environment_ptr env, door_boot b)
      : control_actor(cfg, std::move(env)), boot_(std::move(b)), machine_(boot_.bounds) {
    set_down_handler([this](caf::down_msg& m) { went_down(m); });
    set_exit_handler([this](caf::exit_msg& m) { close(std::move(m.reason)); });
  }

  const char* name() const override { return "troupe.node_door"; }

  void on_exit() override { close({}); }

protected:
  behavior_type make_behavior() override {
    post(boot_.controller, hold_seats{caf::actor_cast<seat_holder_actor>(this)});
    for (const auto& k : boot_.known)
      if (k.expected)
        awaited_.insert(k.name);
    if (!awaited_.empty()) {
      post(boot_.controller, await_nodes{true});
      tick_after(boot_.bounds.return_within + time_to_say, return_over{});
    }
    step(event::restore{std::move(boot_.known), boot_.last_id});
    return {
        // from nodes
        [this](node_knock& m) { greet(m); },
        [this](node_join& m) { join(m); },
        [this](node_brings& m) { bring(m); },
        [this](const node_settled& m) { settled(m); },
        [this](const node_word& m) {
          if (is_from_link(m.link))
            step(event::heard{m.link});
          else if (const auto& from = current_sender()) // it was frozen, and was given up meanwhile
            post(caf::actor_cast<node_agent_actor>(from),
                 node_refused{"the controller has given up this connection", false});
        },
        [this](const node_leaving& m) {
          if (is_from_node(m.node))
            step(event::leaving{m.node});
        },
        [this](code_loaded& m) {
          if (is_from_node(m.node))
            loaded(m);
        },
        [this](const watch_deployments& m) {
          if (is_from_node(m.node) && m.names.size() <= most_watched) {
            book_.watch(m.node, m.names);
            routes_changed();
          }
        },
        // from replicas and the controller
        [this](attach_place& m) { attach(m); },
        [this](const detach_place& m) { detach(m); },
        [this](const code_gone& m) { unload(m.code); },
        [this](const seat_taken& m) { seat(m); },
        [this](const adoption_over& m) {
          if (const auto it = nodes_.find(m.node); it != nodes_.end())
            send_to_node(it->second, node_settle{m.node, m.adopted});
        },
        // what routers on nodes are to know
        [this](deployment_routed& m) {
          if (!is_from_controller())
            return;
          book_.set(std::move(m));
          routes_changed();
        },
        [this](const replica_routed& m) {
          if (is_from_controller())
            route(m);
        },
        [this](const deployment_unrouted& m) {
          if (!is_from_controller())
            return;
          book_.forget(m.target);
          routes_changed();
        },
        [this](restoration_finished) {
          if (!is_from_controller())
            return;
          is_restored_ = true;
          look_whether_whole();
        },
        [this](set_paths& m) {
          paths_ = std::move(m.paths);
          if (is_whole_)
            for (const auto& [id, n] : nodes_)
              send_to_node(n, *paths_);
        },
        [this](tell_routes) {
          is_telling_ = false;
          for (auto& [id, sets] : book_.take(peers_))
            if (const auto it = nodes_.find(id); it != nodes_.end())
              send_to_node(it->second, std::move(sets));
        },
        // from operators and the clock
        [this](return_over) {
          if (!std::exchange(awaited_, {}).empty())
            post(boot_.controller, await_nodes{false});
          look_whether_whole();
        },
        [this](const door_tick& m) { step(event::timer{m.epoch}); },
        [this](const list_nodes&) { return list(); },
        [this](const operate_node& m) { return operated{step(m.what)}; },
        [this](const node_emptied& m) { // unless somebody has sat down meanwhile
          if (const auto it = nodes_.find(m.node); it != nodes_.end() && it->second.places == 0)
            step(event::emptied{m.node});
        },
    };
  }

private:
  struct link {
    node_agent_actor agent;
    caf::actor_addr address;
    std::string nonce; ///< That a proof must sign; used once.
    std::string release;
    std::string joiner_nonce;
    peer_address peer;
    std::uint64_t node = 0; ///< 0 = not admitted.
  };
  /// One load of code on one node.
  struct hosted {
    worker_host_actor host; ///< Null until it is loaded.
    std::set<std::uint64_t> places;
  };
  struct node {
    std::string name;
    std::uint64_t link = 0;
    std::map<std::uint64_t, hosted> codes; ///< By number of the code.
    std::uint32_t places = 0;
    bool open = false;
    bool evacuating = false;
    bool has_brought = false; ///< It has said what; once.
    bool is_settled = false;
    node_about about;
  };
  struct place {
    std::shared_ptr<const node_code> what;
    caf::strong_actor_ptr who;
    std::uint64_t node = 0; ///< 0 = it has no seat yet.
  };

  // -- joining

  void greet(node_knock& m) {
    if (!m.agent || closing_)
      return;
    if (m.wire_version != node_wire_version)
      return post(m.agent,
                  node_refused{"this node (release " + m.release.substr(0, 64) + ") speaks version " +
                                   std::to_string(m.wire_version) + " of the nodes' protocol, the controller " +
                                   std::to_string(node_wire_version) + "; run the same release on both",
                               true});
    if (links_.size() >= boot_.bounds.max_nodes * 2)
      return post(m.agent, node_refused{"there are too many connections to the controller", false});
    const auto number = ++last_link_;
    auto& x = links_[number];
    x.agent = std::move(m.agent);
    x.address = x.agent->address();
    x.release = std::move(m.release);
    monitor(x.agent);
    by_agent_[x.address].insert(number);
    if (boot_.guard) {
      auto nonce = boot_.guard->make_nonce();
      if (!nonce)
        return turn_away(number, nonce.why().message, false);
      x.nonce = std::move(*nonce);
    }
    post(x.agent, node_challenge{number, node_wire_version, boot_.release, x.nonce, to_string(system().node())});
  }

  void join(node_join& m) {
    const auto it = links_.find(m.link);
    if (it == links_.end() || !is_from_link(m.link) || it->second.node != 0)
      return;
    auto& x = it->second;
    if (boot_.guard) {
      const auto nonce = std::exchange(x.nonce, {});
      if (nonce.empty())
        return;
      const auto proved =
          boot_.guard->check(m.name, {nonce, to_string(system().node()), to_string(x.agent->node())}, m.proof);
      if (!proved) {
        env().log(control::log_level::warning, "node \"" + m.name.substr(0, 128) + "\" from " + m.host.substr(0, 256) +
                                                   " is turned away: " + proved.why().message);
        return turn_away(m.link, proved.why().message, true);
      }
    }
    x.joiner_nonce = std::move(m.nonce);
    x.peer = {m.incarnation, m.name, m.peer_host.substr(0, longest_host), m.peer_port};
    node_about about;
    about.name = std::move(m.name);
    about.incarnation = m.incarnation;
    about.release = x.release;
    about.host = std::move(m.host);
    for (auto& l : m.labels)
      about.labels.emplace(std::move(l.key), std::move(l.value));
    about.total = std::move(m.total);
    step(event::hello{m.link, std::move(about)});
  }

  void welcome(std::uint64_t id, std::uint64_t number, bool resumed) {
    const auto it = links_.find(number);
    if (it == links_.end())
      return;
    it->second.node = id;
    node_welcome out;
    out.link = number;
    out.node = id;
    out.resumed = resumed;
    out.word_every = word_every;
    out.code = boot_.code;
    if (boot_.guard) {
      auto proof = boot_.guard->prove(
          {it->second.joiner_nonce, to_string(system().node()), to_string(it->second.agent->node())});
      if (!proof)
        return turn_away(number, proof.why().message, false);
      out.proof = std::move(*proof);
    }
    post(it->second.agent, std::move(out));
  }

  void turn_away(std::uint64_t number, std::string why, bool for_good) {
    const auto it = links_.find(number);
    if (it == links_.end())
      return;
    post(it->second.agent, node_refused{std::move(why), for_good});
    forget_link(number);
    step(event::disconnected{number, "it was turned away"});
  }

  void forget_link(std::uint64_t number) {
    const auto it = links_.find(number);
    if (it == links_.end())
      return;
    const auto address = it->second.address;
    const auto of = by_agent_.find(address);
    of->second.erase(number);
    if (of->second.empty()) {
      demonitor(address);
      by_agent_.erase(of);
    }
    links_.erase(it);
  }

  void went_down(const caf::down_msg& m) {
    const auto it = by_agent_.find(m.source);
    if (it == by_agent_.end())
      return;
    const auto numbers = std::exchange(it->second, {});
    by_agent_.erase(it);
    for (const auto number : numbers) {
      links_.erase(number);
      const bool is_plain = m.reason == caf::exit_reason::remote_link_unreachable;
      step(event::disconnected{number, is_plain ? std::string{} : system().render(m.reason)});
    }
  }

  // -- what nodes bring

  void bring(node_brings& m) {
    if (!is_from_node(m.node))
      return;
    auto& n = nodes_.at(m.node);
    if (std::exchange(n.has_brought, true))
      return;
    if (m.kinds.size() > most_brought)
      return turn_away(n.link, "it brings more replicas than there can be", true);
    auto out = about(m.node, n);
    out.open = out.draining = false;
    out.brings = std::move(m.kinds);
    post(boot_.controller, std::move(out));
    is_back(n.name);
  }

  // -- routers on nodes

  void route(const replica_routed& m) {
    if (!m.open) {
      book_.close(m.target, m.replica);
    } else if (const auto it = places_.find(m.place); it != places_.end() && it->second.node != 0) {
      book_.open(m.target, {m.replica, nodes_.at(it->second.node).about.incarnation, m.port});
    } else {
      return; // its node was lost meanwhile
    }
    routes_changed();
  }

  /// A controller that starts again says nothing before it knows what there is: nodes go on by what they know.
  void look_whether_whole() {
    if (is_whole_ || !is_restored_ || !awaited_.empty())
      return;
    for (const auto& [id, n] : nodes_)
      if (!n.is_settled)
        return;
    is_whole_ = true;
    routes_changed();
    if (paths_)
      for (const auto& [id, n] : nodes_)
        send_to_node(n, *paths_);
  }

  void routes_changed() {
    if (is_whole_ && book_.has_news() && !std::exchange(is_telling_, true))
      caf::anon_send(caf::actor_cast<door_actor>(this), tell_routes{});
  }

  void settled(const node_settled& m) {
    if (!is_from_node(m.node))
      return;
    auto& n = nodes_.at(m.node);
    const bool was_bringing = std::exchange(n.has_brought, true);
    n.is_settled = true;
    if (m.brought > 0)
      env().log(control::log_level::info, "node " + n.name + ": of " + std::to_string(m.brought) +
                                              " replicas that it has brought " + std::to_string(m.adopted) +
                                              " are adopted");
    const auto name = n.name;
    step(event::settled{m.node});
    if (const auto it = nodes_.find(m.node);
        it != nodes_.end() && was_bringing && !it->second.open && !it->second.evacuating)
      offer(m.node, it->second); // a cordoned one: nothing more is adopted there
    is_back(name);
    look_whether_whole();
  }

  /// Of those that an earlier controller had; or it will not come.
  void is_back(const std::string& name) {
    if (awaited_.erase(name) > 0 && awaited_.empty()) {
      post(boot_.controller, await_nodes{false});
      look_whether_whole();
    }
  }

  bool is_from_link(std::uint64_t number) {
    const auto it = links_.find(number);
    return it != links_.end() && current_sender() && it->second.address == current_sender()->address();
  }
  /// And not from a node, whose process may send what it likes.
  bool is_from_controller() {
    return boot_.controller && current_sender() && current_sender()->address() == boot_.controller.address();
  }
  bool is_from_node(std::uint64_t id) {
    const auto it = nodes_.find(id);
    return it != nodes_.end() && is_from_link(it->second.link);
  }

  // -- the machine

  error step(const any_event& ev) {
    auto t = machine_.step(now(), ev);
    for (auto& e : t.effects)
      std::visit([this](auto& x) { run(x); }, e);
    for (auto it = awaited_.begin(); it != awaited_.end();) { // few, and not for long
      const auto name = *(it++);
      if (!machine_.has(name))
        is_back(name);
    }
    return t.refused;
  }
  instant now() const { return std::chrono::duration_cast<instant>(env().now().time_since_epoch()); }

  void run(effect::admit& e) {
    auto& n = nodes_[e.id];
    n.name = e.about.name;
    n.link = e.link;
    n.about = std::move(e.about);
    if (const auto it = links_.find(e.link); it != links_.end())
      peers_[n.about.incarnation] = it->second.peer;
    welcome(e.id, e.link, false);
    if (is_whole_ && paths_)
      send_to_node(n, *paths_);
  }
  void run(const effect::resume& e) {
    const auto it = nodes_.find(e.id);
    if (it == nodes_.end())
      return;
    auto& n = it->second;
    n.link = e.link;
    welcome(e.id, e.link, true);
    for (const auto& [code, h] : n.codes) // the order, or its answer, may be lost
      if (!h.host && !h.places.empty())
        send_order(e.id, n, *places_.at(*h.places.begin()).what);
  }
  void run(effect::refuse& e) { turn_away(e.link, std::move(e.why.message), e.for_good); }
  void run(const effect::close& e) { forget_link(e.link); }
  void run(const effect::offer& e) {
    if (const auto it = nodes_.find(e.id); it != nodes_.end()) {
      it->second.open = e.on;
      offer(e.id, it->second);
    }
  }
  void run(const effect::prefer_others&) {} // what is sent over a connection that has ended is told at once
  void run(const effect::evacuate& e) {
    const auto it = nodes_.find(e.id);
    if (it == nodes_.end())
      return;
    it->second.evacuating = e.on;
    offer(e.id, it->second);
    look_whether_empty(e.id, it->second);
  }
  void run(effect::void_node& e) { forget_node(e.id, "is lost: " + e.why); }
  void run(const effect::release& e) {
    if (const auto it = links_.find(e.link); it != links_.end())
      post(it->second.agent, node_released{e.id});
    forget_link(e.link);
    forget_node(e.id, "has left");
  }
  void run(const effect::persist& e) {
    if (boot_.persist)
      boot_.persist(e.what, e.last_id);
  }
  void run(const effect::arm_timer& e) { tick_after(e.at - now(), door_tick{e.epoch}); }
  void run(const effect::notify& e) {
    const bool is_bad = e.kind == "node_lost" || e.kind == "node_suspect";
    env().log(is_bad ? control::log_level::warning : control::log_level::info,
              "node " + e.node + ": " + e.kind + (e.text.empty() ? "" : ": " + e.text));
  }

  /// With what is there.
  void forget_node(std::uint64_t id, const std::string& why) {
    const auto it = nodes_.find(id);
    if (it == nodes_.end())
      return;
    const auto gone = std::move(it->second);
    nodes_.erase(it);
    book_.forget_node(id);
    const auto is_same = [&](const auto& x) { return x.second.about.incarnation == gone.about.incarnation; };
    if (std::none_of(nodes_.begin(), nodes_.end(), is_same))
      peers_.erase(gone.about.incarnation);
    look_whether_whole();
    post(boot_.controller, lose_node{id});
    for (const auto& [code, h] : gone.codes)
      for (const auto number : h.places)
        lose(number, "node " + gone.name + " " + why);
  }

  void offer(std::uint64_t id, const node& n) { post(boot_.controller, about(id, n)); }

  static offer_node about(std::uint64_t id, const node& n) {
    offer_node out{id, n.name, {}, {}, n.about.total, n.open, n.evacuating, {}};
    for (const auto& [key, value] : n.about.labels) {
      out.label_keys.push_back(key);
      out.label_values.push_back(value);
    }
    return out;
  }

  /// As a message: what the machine is about to say of the node comes first.
  void look_whether_empty(std::uint64_t id, const node& n) {
    if (n.evacuating && n.places == 0)
      caf::anon_send(caf::actor_cast<door_actor>(this), node_emptied{id});
  }

  // -- places

  void attach(attach_place& m) {
    const auto number = m.place.number;
    if (closing_)
      return tell(m.who, replica::worker_lost{number, "the controller ends"});
    const auto& spec = *m.place.spec;
    places_[number] = {std::move(m.what), std::move(m.who), 0};
    post(boot_.controller, take_seat{number, replica::kind_of(*places_.at(number).what, spec)});
  }

  void seat(const seat_taken& m) {
    const auto it = places_.find(m.place);
    if (it == places_.end() || it->second.node != 0)
      return; // it has left meanwhile, and said so
    const auto at = nodes_.find(m.node);
    if (at == nodes_.end())
      return lose(m.place, "its node was lost before it started there");
    auto& p = it->second;
    auto& n = at->second;
    p.node = m.node;
    ++n.places;
    if (n.evacuating) // the seat was taken before the controller heard of that
      step(event::occupied{m.node});
    const auto& what = p.what->what();
    auto [h, is_new] = n.codes.try_emplace(what.code);
    h->second.places.insert(m.place);
    if (h->second.host)
      return assign(m.place, p, h->second.host);
    if (!is_new)
      return; // on its way there
    send_order(m.node, n, *p.what);
  }

  void send_order(std::uint64_t id, const node& n, const node_code& of) {
    auto order = of.what();
    order.node = id;
    send_to_node(n, std::move(order));
  }

  void assign(std::uint64_t number, const place& p, const worker_host_actor& host) {
    tell(p.who, replica::worker_assigned{number, host, nodes_.at(p.node).name});
  }

  void loaded(code_loaded& m) {
    auto& n = nodes_.at(m.node);
    const auto it = n.codes.find(m.code);
    if (it == n.codes.end() || it->second.host)
      return;
    if (m.failure_code == 0 && m.host) {
      it->second.host = std::move(m.host);
      for (const auto number : it->second.places)
        assign(number, places_.at(number), it->second.host);
      return;
    }
    const auto waiting = std::move(it->second.places);
    n.codes.erase(it);
    n.places -= static_cast<std::uint32_t>(waiting.size());
    for (const auto number : waiting) {
      lose(number, "node " + n.name + ": " + m.failure);
      post(boot_.controller, leave_seat{number});
    }
    look_whether_empty(m.node, n);
  }

  void detach(const detach_place& m) {
    const auto it = places_.find(m.place);
    if (it == places_.end())
      return;
    const auto p = std::move(it->second);
    places_.erase(it);
    post(boot_.controller, leave_seat{m.place});
    const auto at = nodes_.find(p.node);
    if (at == nodes_.end())
      return;
    auto& n = at->second;
    --n.places;
    const auto h = n.codes.find(p.what->what().code);
    if (h != n.codes.end()) {
      h->second.places.erase(m.place);
      if (h->second.host && m.killed)
        post(h->second.host, abandon_worker_replica{m.place});
      else if (h->second.host)
        post(h->second.host, drop_worker_replica{m.place});
    }
    look_whether_empty(p.node, n);
  }

  /// What runs of it, given up by all, stays with its node's process.
  void unload(std::uint64_t code) {
    for (auto& [id, n] : nodes_)
      if (n.codes.erase(code) > 0)
        send_to_node(n, unload_code{id, code});
  }

  void lose(std::uint64_t number, std::string how) {
    const auto it = places_.find(number);
    if (it == places_.end())
      return;
    const auto who = std::move(it->second.who);
    places_.erase(it);
    tell(who, replica::worker_lost{number, std::move(how)});
  }

  node_list list() const {
    node_list out{machine_.list(), {}, now()};
    for (const auto& x : out.nodes) {
      const auto it = nodes_.find(x.id);
      out.replicas.push_back(it == nodes_.end() ? 0U : it->second.places);
    }
    return out;
  }

  // -- small things

  template <class T>
  void tell(const caf::strong_actor_ptr& who, T what) {
    control::post_message(env(), ctrl(), context(), who, caf::make_message(std::move(what)));
  }
  template <class T>
  void send_to_node(const node& n, T what) {
    if (const auto it = links_.find(n.link); it != links_.end())
      post(it->second.agent, std::move(what));
  }

  void close(caf::error reason) {
    if (std::exchange(closing_, true))
      return;
    for (const auto& [number, p] : std::exchange(places_, {}))
      tell(p.who, replica::worker_lost{number, "the controller ends"});
    nodes_.clear();
    links_.clear();
    by_agent_.clear();
    boot_ = {};
    quit(std::move(reason));
  }

  door_boot boot_;
  machine machine_;
  bool closing_ = false;
  std::uint64_t last_link_ = 0;
  std::map<std::uint64_t, link> links_;
  std::map<caf::actor_addr, std::set<std::uint64_t>> by_agent_;
  std::map<std::uint64_t, node> nodes_; ///< Of the alive, by id.
  std::unordered_map<std::uint64_t, place> places_;
  std::set<std::string> awaited_; ///< An earlier controller had them, and they are not back.

  route_book book_;
  std::map<std::uint64_t, peer_address> peers_; ///< Of the alive, by incarnation.
  std::optional<node_routes> paths_;
  bool is_restored_ = false;
  bool is_whole_ = false; ///< The book has all that there is.
  bool is_telling_ = false;
};

} // namespace

door_actor spawn_door(const control::environment_ptr& env, door_boot b) {
  return control::spawn_control<shell>(env, std::move(b));
}

} // namespace troupe::nodes
