// The shell of the controller: a table of deployments, commands handed on, room handed out.
// long file: one shell; what it decides is in the files beside it
#include <troupe/actors/controller/admission.hpp>
#include <troupe/actors/controller/cluster_room.hpp>
#include <troupe/actors/controller/controller_actor.hpp>
#include <troupe/actors/controller/open_commands.hpp>
#include <troupe/actors/controller/overview.hpp>
#include <troupe/actors/controller/placement.hpp>
#include <troupe/actors/controller/suggest.hpp>
#include <troupe/actors/deployment_state/deployment_state_actor.hpp>
#include <troupe/actors/deployment_state/orphans.hpp>
#include <troupe/actors/router/maintenance.hpp>
#include <troupe/messages/stored_deployment.hpp>

#include <caf/actor_cast.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace troupe::controller {

namespace {

// A deployment that has a name: from its first deploy until it is removed.
struct deployment_entry {
  deployment_state_actor state; // null: it has ended unexpectedly
  std::shared_ptr<router> calls;
  caf::actor timeouts;            // drives the router's timeouts
  std::uint64_t deploys_sent = 0; // to this state actor
  std::optional<deployment_spec> accepted;
  std::string death; // why `state` is null
};

// A state actor, until its down message.
struct state_record {
  deployment_name name;
  deployment_state_actor leaving; // removed, but user code that was given up still runs
  std::uint64_t number = 0;
  std::vector<std::uint64_t> deletes = {}; // answered by it, and to be passed on once its name is free
};

error stopped() { return {errc::runtime_stopped, "the runtime is shutting down"}; }

class shell : public control::control_actor<controller_actor> {
public:
  shell(caf::actor_config& cfg, control::environment_ptr env, boot b)
      : control_actor(cfg, std::move(env)), listed_(std::move(b.listed)), bounds_(b.bounds),
        cluster_(b.on_nodes ? std::make_shared<cluster_room>(b.max_replicas) : nullptr),
        room_(cluster_ ? std::shared_ptr<room_keeper>{cluster_}
                       : std::make_shared<placement>(b.max_replicas, std::move(b.local))) {
    bounds_.room_limited = b.max_replicas > 0 || cluster_;
    bounds_.durable = this->env().store != nullptr;
    set_down_handler([this](caf::down_msg& m) { went_down(m); });
    set_exit_handler([this](caf::exit_msg& m) { close(std::move(m.reason)); });
  }

  const char* name() const override { return "troupe.controller"; }

  void on_exit() override { close(caf::exit_reason::kill); }

protected:
  behavior_type make_behavior() override {
    return {
        [this](deploy_deployment& m) { return deploy(m); },
        [this](delete_deployment& m) { return remove(m); },
        [this](scale_deployment& m) -> caf::result<command_result> {
          if (m.num_replicas > max_num_replicas)
            return to_caf(
                {errc::invalid_spec, troupe::to_string({field_error{"num_replicas", std::to_string(m.num_replicas),
                                                                    "an integer from 0 to 10000000"}})});
          return hand_on<command_result>(m);
        },
        [this](control_rollout& m) { return hand_on<command_result>(m); },
        [this](get_deployment& m) -> caf::result<deployment_status> {
          if (const auto* e = find(m.target); e && !e->state)
            return status_of_dead(m.target, *e);
          return hand_on<deployment_status>(m);
        },
        [this](const get_applications& m) { return collect(m.with_replicas); },
        [this](get_effective_spec& m) -> caf::result<deployment_spec> {
          if (const auto* e = find(m.target); e && !e->state && e->accepted)
            return *e->accepted;
          return hand_on<deployment_spec>(m);
        },
        [this](get_history& m) { return hand_on<revision_list>(m); },
        [this](const get_resources&) { return room_->report(); },
        [this](const claim_room& m) { claim(m); },
        [this](const deployment_removed& m) { removed(m); },
        [this](restore_deployment& m) { return restore(m); },
        [this](hold_seats& m) {
          if (!closing_)
            seat_holder_ = std::move(m.holder);
          if (all_are_restored_)
            route(restoration_finished{});
        },
        [this](offer_node& m) { offer(m); },
        [this](const await_nodes& m) {
          if (cluster_)
            tell(cluster_->await_nodes(m.on));
        },
        [this](const lose_node& m) {
          joining_.erase(m.node);
          if (cluster_ && nodes_.erase(m.node) > 0)
            tell(cluster_->remove_node(m.node));
        },
        [this](const take_seat& m) {
          if (cluster_)
            tell(cluster_->take_seat(m.kind, m.place));
        },
        [this](const leave_seat& m) {
          if (cluster_)
            tell(cluster_->leave_seat(m.place));
        },
        [this](deployment_routed& m) {
          if (is_from(m.target))
            route(std::move(m));
        },
        [this](replica_routed& m) {
          if (is_from(m.target))
            route(std::move(m));
        },
        [this](const restoration_finished& m) {
          all_are_restored_ = true;
          route(restoration_finished{});
          look_whether_adopted();
          for (const auto& [name, e] : entries_)
            if (e.state)
              post(e.state, m);
        },
    };
  }

private:
  // -- commands ------------------------------------------------------------------------------------------------------

  caf::result<command_result> deploy(deploy_deployment& m) {
    if (closing_)
      return to_caf(stopped());
    if (const auto problems = problems_of(m, cluster_ != nullptr); !problems.empty())
      return to_caf({errc::invalid_spec, to_string(problems)});
    const deployment_name name{m.spec.application, m.spec.name};
    auto& e = entries_[name];
    if (!e.state)
      start(name, e);
    ++e.deploys_sent;
    settle_deletes(states_[e.state.address()]);
    const auto id = open_.keep(make_response_promise<command_result>());
    request(e.state, caf::infinite, m)
        .then(
            [this, id, name, whom = e.state.address(), wish = m](command_result& answer) {
              if (auto* now = find(name); now && now->state && now->state.address() == whom)
                accept(name, *now, wish);
              add_advice(wish.spec, answer);
              open_.settle(id, std::move(answer));
            },
            [this, id, name, whom = e.state.address(), wish = m](caf::error& why) {
              if (auto* now = find(name); now && now->state && now->state.address() == whom) {
                if (from_caf(why, system()).code == errc::not_stored) // it runs all the same
                  accept(name, *now, wish);
                else if (!now->accepted)
                  drop(name); // it never had a target
              }
              open_.settle(id, explained(name, std::move(why)));
            });
    return caf::delegated<command_result>{};
  }

  void accept(const deployment_name& name, deployment_entry& e, const deploy_deployment& wish) {
    e.accepted = wish.spec;
    listed_->put({name, e.calls, wish.user_code.local});
  }

  void add_advice(const deployment_spec& spec, command_result& answer) const {
    const auto never = room_->never(spec.per_replica, spec.where);
    if (!never.is_never() || answer.change == change_kind::none)
      return;
    answer.message += answer.message.empty() ? "" : "; ";
    answer.message += "its replicas wait for room: each asks for " + amount_text(never.resource, never.asked) + ' ' +
                      never.resource + ", more than " +
                      (never.by_labels ? "any node with the labels of its label_selector has (" : "there is in all (") +
                      amount_text(never.resource, never.total) + ")";
  }

  caf::result<command_result> restore(restore_deployment& m) {
    m.others_follow = m.others_follow && !all_are_restored_;
    if (closing_)
      return to_caf(stopped());
    if (find(m.target))
      return to_caf({errc::rejected, m.target.full() + " runs already"});
    auto& e = entries_[m.target];
    start(m.target, e);
    ++e.deploys_sent;
    for (const auto& r : m.state->releases)
      if (r.revision == m.state->target) {
        e.accepted = r.spec;
        listed_->put({m.target, e.calls, r.user_code.local});
      }
    return delegate(e.state, std::move(m));
  }

  // Answered when the name is free too, so that whoever has the answer finds nothing left.
  caf::result<removed_deployment> remove(delete_deployment& m) {
    const auto& name = m.target;
    auto* e = find(name);
    if (closing_ || !e)
      return hand_on<removed_deployment>(m);
    if (!e->state) {
      drop(name);
      return removed_deployment{name};
    }
    const auto id = open_.keep(make_response_promise<removed_deployment>());
    request(e->state, caf::infinite, m)
        .then(
            [this, id, name, whom = e->state.address(), before = e->deploys_sent](removed_deployment&) {
              const auto it = states_.find(whom);
              const auto* now = find(name);
              const bool present = now && now->state && now->state.address() == whom;
              if (it == states_.end() || (present && now->deploys_sent > before))
                return open_.settle(id, removed_deployment{name});
              it->second.deletes.push_back(id);
              if (it->second.leaving)
                look_at_leftovers(it->second);
            },
            [this, id, name](caf::error& why) { open_.settle(id, explained(name, std::move(why))); });
    return caf::delegated<removed_deployment>{};
  }

  void settle_deletes(state_record& record) {
    for (const auto id : std::exchange(record.deletes, {}))
      open_.settle(id, removed_deployment{record.name});
  }

  template <class Answer, class Message>
  caf::result<Answer> hand_on(Message& m) {
    if (closing_)
      return to_caf(stopped());
    const auto* e = find(m.target);
    if (!e)
      return to_caf(unknown_deployment(m.target, names()));
    if (!e->state)
      return to_caf({errc::unavailable, e->death + "; deploy it again"});
    return delegate(e->state, std::move(m));
  }

  // -- all statuses --------------------------------------------------------------------------------------------------

  struct collection {
    std::vector<deployment_status> found; // by name
    std::size_t open = 0;
  };

  caf::result<application_list> collect(bool with_replicas) {
    if (closing_)
      return to_caf(stopped());
    auto all = std::make_shared<collection>();
    all->found.resize(entries_.size());
    const auto id = open_.keep(make_response_promise<application_list>());
    std::size_t place = 0;
    for (const auto& [name, e] : entries_) {
      auto& found = all->found[place];
      if (e.state) {
        ++all->open;
        request(e.state, caf::infinite, get_deployment{name, with_replicas})
            .then(
                [this, id, all, place](deployment_status& x) {
                  all->found[place] = std::move(x);
                  collected(id, *all);
                },
                [this, id, all, place, n = name](caf::error&) { // it ended meanwhile
                  if (const auto* now = find(n))
                    all->found[place] = status_of_dead(n, *now);
                  collected(id, *all);
                });
      } else {
        found = status_of_dead(name, e);
      }
      ++place;
    }
    ++all->open;
    collected(id, *all);
    return caf::delegated<application_list>{};
  }

  void collected(std::uint64_t id, collection& all) {
    if (--all.open > 0)
      return;
    open_.settle(id, overview_of(std::move(all.found)));
  }

  // -- state actors --------------------------------------------------------------------------------------------------

  void start(const deployment_name& name, deployment_entry& e) {
    if (!e.calls)
      e.calls = listed_->router_of(name);
    if (!e.calls) {
      ++routers_;
      e.calls = router::make(
          system(),
          {.name = name.full(), .limits = {}, .seed = env().seed + routers_, .number = routers_ & 0xff'ffffU});
    }
    if (!e.timeouts)
      e.timeouts = spawn_maintenance(system(), e.calls, env().control ? env().control->inbound() : nullptr);
    e.calls->accept();
    e.death.clear();
    e.deploys_sent = 0;
    e.state = deployment_state::spawn_deployment_state(
        shared_env(), {.name = name, .bounds = bounds_, .calls = e.calls, .controller = this});
    states_.insert_or_assign(e.state.address(), state_record{name, {}, ++numbers_});
    monitor(e.state);
  }

  void went_down(const caf::down_msg& m) {
    const auto it = states_.find(m.source);
    if (it == states_.end())
      return;
    auto record = std::move(it->second);
    states_.erase(it);
    settle_deletes(record);
    listed_->note_leftover(record.number, {record.name, 0});
    if (closing_) {
      if (states_.empty())
        quit(close_reason_);
      return;
    }
    auto* e = find(record.name);
    if (!e || !e->state || e->state.address() != m.source)
      return;
    e->state = nullptr;
    e->deploys_sent = 0;
    e->death = "the state actor of " + record.name.full() + " ended: " + system().render(m.reason);
    e->calls->refuse({errc::unavailable, e->death});
    env().log(control::log_level::error, e->death);
    env().emit({record.name, "state_actor_ended", 0, e->death});
    tell(room_->forget(record.name));
    if (!e->accepted)
      drop(record.name);
  }

  void removed(const deployment_removed& m) {
    if (closing_)
      return;
    const auto& from = current_sender();
    if (is_from(m.target)) {
      auto* e = find(m.target);
      if (m.deploys_seen < e->deploys_sent)
        return; // another deploy is on its way to it
      auto& record = states_[e->state.address()];
      record.leaving = e->state;
      drop(m.target);
      env().emit({m.target, "removed", 0, m.target.full() + " is removed"});
      look_at_leftovers(record);
    } else if (from) {
      const auto it = states_.find(from->address());
      if (it != states_.end() && it->second.leaving)
        look_at_leftovers(it->second);
    }
  }

  /// For the routers of other processes; in order.
  template <class T>
  void route(T what) {
    if (seat_holder_)
      send(seat_holder_, std::move(what));
  }

  // Forgets the name. The state actor, if any, ends unless it is to stay for what it has given up.
  void drop(const deployment_name& name) {
    const auto it = entries_.find(name);
    auto& e = it->second;
    e.calls->refuse({errc::unavailable, name.full() + " was deleted"});
    route(deployment_unrouted{name});
    if (e.state && !states_[e.state.address()].leaving)
      caf::anon_send_exit(e.state, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(e.timeouts, caf::exit_reason::user_shutdown);
    listed_->remove(name);
    entries_.erase(it);
    tell(room_->forget(name));
  }

  // Ends a state actor that was removed once none of its replicas is left; until then its code is told of.
  void look_at_leftovers(const state_record& record) {
    const auto whom = record.leaving.address();
    request(record.leaving, caf::infinite, get_deployment{record.name, false})
        .then(
            [this, whom](const deployment_status& x) {
              const auto it = states_.find(whom);
              if (it == states_.end())
                return;
              listed_->note_leftover(it->second.number, {it->second.name, x.given_up});
              settle_deletes(it->second);
              if (x.given_up == 0)
                caf::anon_send_exit(std::exchange(it->second.leaving, nullptr), caf::exit_reason::user_shutdown);
            },
            [](caf::error&) {});
  }

  // -- room ----------------------------------------------------------------------------------------------------------

  void claim(const claim_room& m) {
    const auto of = deployment_state::deployment_of_orphans(m.from);
    if (!of && is_from(m.from))
      tell(room_->claim(m));
    else if (of && is_from(*of))
      tell(room_->hand_over(*of, m));
    else if (of && room_->knows(m.from))
      tell(m.shapes.empty() ? room_->forget(m.from) : room_->claim(m));
  }

  /// Also those who have sat down by what was asked.
  void tell(const std::vector<grant>& grants) {
    for (const auto& g : grants)
      if (const auto* e = find(g.to); e && e->state)
        post(e->state, g.what);
    if (cluster_ && seat_holder_)
      for (const auto& x : cluster_->take_seated())
        post(seat_holder_, seat_taken{x.place, x.node});
    look_whether_adopted();
  }

  /// Of the nodes that join, each whose replicas nobody else will want is told so. O(nodes that join x deployments).
  void look_whether_adopted() {
    if (joining_.empty() || !all_are_restored_ || !seat_holder_)
      return;
    for (const auto& [name, e] : entries_)
      if (e.state && !room_->knows(name))
        return; // it will claim
    for (auto it = joining_.begin(); it != joining_.end();) {
      const auto node = *(it++);
      if (const auto adopted = cluster_->adoption_over(node)) {
        joining_.erase(node);
        post(seat_holder_, adoption_over{node, *adopted});
      }
    }
  }

  void offer(offer_node& m) {
    if (!cluster_ || closing_)
      return;
    const auto state = !m.brings.empty() ? node_state::suspect
                       : m.draining      ? node_state::draining
                       : m.open          ? node_state::ready
                                         : node_state::cordoned;
    const auto [it, is_new] = nodes_.try_emplace(m.node, state);
    if (is_new) {
      joining_node x{m.node, m.name, {}, std::move(m.total), state};
      for (std::size_t i = 0; i < m.label_keys.size() && i < m.label_values.size(); ++i)
        x.labels.emplace(std::move(m.label_keys[i]), std::move(m.label_values[i]));
      tell(cluster_->add_node(x));
    } else {
      tell(cluster_->set_state(m.node, state));
    }
    if (!m.brings.empty()) {
      joining_.insert(m.node);
      tell(cluster_->bring(m.node, m.brings));
    } else {
      joining_.erase(m.node);
    }
    if (std::exchange(it->second, state) == state && !is_new)
      return; // of a new one in any case: the one before of its name may have been in another state
    for (const auto& [name, e] : entries_)
      if (e.state)
        post(e.state, evacuate_node{m.name, m.draining, state == node_state::ready});
  }

  // -- the end -------------------------------------------------------------------------------------------------------

  void close(caf::error reason) {
    if (closing_)
      return;
    closing_ = true;
    seat_holder_ = nullptr;
    close_reason_ = std::move(reason);
    open_.fail_all(stopped());
    for (const auto& calls : listed_->routers())
      calls->shut({errc::runtime_stopped, calls->name() + ": the runtime has stopped"});
    for (auto& [name, e] : entries_) {
      e.calls->shut({errc::runtime_stopped, name.full() + ": the runtime has stopped"});
      caf::anon_send_exit(e.timeouts, caf::exit_reason::user_shutdown);
      listed_->remove(name);
    }
    entries_.clear();
    for (auto& [address, record] : states_) {
      record.leaving = nullptr;
      caf::anon_send_exit(address, caf::exit_reason::user_shutdown);
    }
    if (states_.empty())
      quit(close_reason_);
  }

  // -- small things --------------------------------------------------------------------------------------------------

  deployment_entry* find(const deployment_name& name) {
    const auto it = entries_.find(name);
    return it == entries_.end() ? nullptr : &it->second;
  }

  std::vector<deployment_name> names() const {
    std::vector<deployment_name> out;
    for (const auto& [name, e] : entries_)
      out.push_back(name);
    return out;
  }

  // Whether the present state actor of `name` sent what is being handled: not one of the same name before it.
  bool is_from(const deployment_name& name) {
    const auto* e = find(name);
    return e && e->state && current_sender() && e->state.address() == current_sender()->address();
  }

  static deployment_status status_of_dead(const deployment_name& name, const deployment_entry& e) {
    return status_of_lost(name, e.accepted ? e.accepted->num_replicas : 0, e.death);
  }

  static caf::error explained(const deployment_name& name, caf::error why) {
    if (why.category() == caf::detail::error_factory<errc>::category)
      return why;
    return to_caf({errc::unavailable, "the state actor of " + name.full() + " ended before it answered"});
  }

  std::shared_ptr<directory> listed_;
  deployment_state::limits bounds_;
  const std::shared_ptr<cluster_room> cluster_; ///< Null on one machine.
  const std::shared_ptr<room_keeper> room_;
  seat_holder_actor seat_holder_;
  std::map<node_id, node_state> nodes_;
  std::set<node_id> joining_; ///< With replicas that may be adopted.
  std::map<deployment_name, deployment_entry> entries_;
  std::map<caf::actor_addr, state_record> states_;
  open_commands open_;
  std::uint64_t numbers_ = 0;
  std::uint64_t routers_ = 0;
  bool all_are_restored_ = false;
  bool closing_ = false;
  caf::error close_reason_;
};

} // namespace

controller_actor spawn_controller(const control::environment_ptr& env, boot b) {
  return control::spawn_control<shell>(env, std::move(b));
}

} // namespace troupe::controller
