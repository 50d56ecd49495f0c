// What the controller of a simulated cluster has placed where, by the messages that pass by.
#include "nodes.hpp"

#include <algorithm>

namespace troupe::simulation_tests {

bool simulated_nodes::look_at(const caf::message& what) {
  if (what.match_elements<offer_node>()) {
    const auto& x = what.get_as<offer_node>(0);
    auto& n = offered_[x.node];
    n.name = x.name;
    n.total = x.total;
    n.open = x.open;
    for (std::size_t i = 0; i < x.label_keys.size(); ++i)
      n.labels[x.label_keys[i]] = x.label_values.at(i);
  } else if (what.match_elements<lose_node>()) {
    const auto node = what.get_as<lose_node>(0).node;
    offered_.erase(node);
    taken_ -= static_cast<std::uint32_t>(std::erase_if(seats_, [&](const auto& s) { return s.second.node == node; }));
    ++losses_;
  } else if (what.match_elements<take_seat>()) {
    const auto& x = what.get_as<take_seat>(0);
    seats_[x.place] = {x.kind.of, x.kind.each, x.kind.where, 0};
  } else if (what.match_elements<seat_taken>()) {
    const auto& x = what.get_as<seat_taken>(0);
    const auto s = seats_.find(x.place);
    const auto n = offered_.find(x.node);
    if (s != seats_.end() && s->second.node == 0 && n != offered_.end()) {
      s->second.node = x.node;
      if (++taken_ > max_replicas_ && max_replicas_ > 0)
        world_->report(2, std::to_string(taken_) + " replicas are on nodes, max_replicas is " +
                              std::to_string(max_replicas_));
      add(n->second.taken, s->second.each);
      if (const auto over = first_lacking(n->second.taken, n->second.total))
        world_->report(2, "node " + n->second.name + " has " + to_string(n->second.total) + ", placed on it are " +
                              to_string(n->second.taken));
      const auto& where = s->second.where;
      if (!suits(where, n->second.labels))
        world_->report(2, "a replica of " + s->second.of.full() + " is to start on " + n->second.name +
                              ", which lacks a label of " + to_json(where.required).dump());
      const auto count = ++n->second.replicas[s->second.of];
      const bool is_one_bound = std::none_of(seats_.begin(), seats_.end(), [&](const auto& x) { // of an update of it
        return x.second.of == s->second.of && x.second.where.max_replicas_per_node != where.max_replicas_per_node;
      });
      if (where.max_replicas_per_node > 0 && count > where.max_replicas_per_node && is_one_bound)
        world_->report(2, std::to_string(count) + " replicas of " + s->second.of.full() + " are on " + n->second.name +
                              ", max_replicas_per_node is " + std::to_string(where.max_replicas_per_node));
    }
  } else if (what.match_elements<leave_seat>()) {
    const auto s = seats_.find(what.get_as<leave_seat>(0).place);
    if (s != seats_.end()) {
      taken_ -= s->second.node == 0 ? 0U : 1U;
      if (const auto n = offered_.find(s->second.node); n != offered_.end()) {
        take(n->second.taken, s->second.each);
        --n->second.replicas[s->second.of];
      }
      seats_.erase(s);
    }
  } else if (what.match_elements<node_settled>()) {
    adopted_ += what.get_as<node_settled>(0).adopted;
    return true;
  } else if (what.match_elements<claim_room>()) {
    claimers_[what.get_as<claim_room>(0).from] = world_->running_actor();
    return true;
  } else if (what.match_elements<deployment_removed>()) { // what was given up may leave its seat later
    const auto& target = what.get_as<deployment_removed>(0).target;
    // Said again when what was given up has ended: the seats may be those of another deployment of that name by then.
    if (const auto by = claimers_.find(target); by == claimers_.end() || by->second != world_->running_actor())
      return true;
    for (auto s = seats_.begin(); s != seats_.end();) {
      const auto& x = s->second;
      if (x.of != target) {
        ++s;
        continue;
      }
      taken_ -= x.node == 0 ? 0U : 1U;
      if (const auto n = offered_.find(x.node); n != offered_.end()) {
        take(n->second.taken, x.each);
        --n->second.replicas[x.of];
      }
      s = seats_.erase(s);
    }
    return true;
  } else {
    return !what.match_elements<hold_seats>() && !what.match_elements<evacuate_node>() &&
           !what.match_elements<await_nodes>();
  }
  return false;
}

std::string simulated_nodes::has_room_for(const deployment_spec& what) const {
  const auto bound = what.where.max_replicas_per_node;
  for (const auto& [id, n] : offered_) {
    auto all = n.taken;
    add(all, what.per_replica);
    const auto there = n.replicas.find({what.application, what.name});
    const bool is_full = bound > 0 && there != n.replicas.end() && there->second >= bound;
    if (n.open && fits(all, n.total) && suits(what.where, n.labels) && !is_full)
      return n.name;
  }
  return {};
}

} // namespace troupe::simulation_tests
