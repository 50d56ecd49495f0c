// What operators want of nodes: cordon, drain, remove.
#include <troupe/actors/nodes/machine.hpp>
#include <troupe/messages/validation.hpp>

#include <utility>

namespace troupe::nodes {

void machine::on(const event::cordon& ev) {
  if (unknown(ev.name))
    return;
  const auto k = known(ev.name);
  wish(ev.name, ev.on, ev.on && k.drained, k.expected);
  auto* r = by_name(ev.name);
  if (!r)
    return;
  emit(effect::notify{ev.on ? "node_cordoned" : "node_uncordoned", ev.name, {}});
  if (r->state == node_state::draining && resting(*r) == node_state::ready)
    enter(*r, node_state::ready, {});
  else
    follow(*r);
}

void machine::on(const event::drain& ev) {
  if (unknown(ev.name))
    return;
  const auto k = known(ev.name);
  wish(ev.name, k.cordoned, true, k.expected);
  auto* r = by_name(ev.name);
  if (!r)
    return;
  if (r->state == node_state::ready)
    enter(*r, node_state::draining, "an operator drains it");
  else
    follow(*r);
}

void machine::on(const event::remove& ev) {
  if (unknown(ev.name))
    return;
  if (const auto it = records_.find(ev.name); it != records_.end()) {
    auto& r = it->second;
    if (is_alive(r.state) && !r.empty && !ev.force)
      return refuse(errc::rejected, "node \"" + ev.name + "\" is " + to_string(r.state) +
                                        " and may have replicas; drain it first, or remove it with --force");
    if (is_alive(r.state) && r.empty) {
      end(r, node_state::gone, "an operator has removed it");
    } else if (is_alive(r.state)) {
      const auto link = std::exchange(r.link, 0);
      links_.erase(link);
      end(r, node_state::lost, "an operator has removed it");
      if (link != 0)
        turn_away(link, errc::rejected, "an operator has removed this node", true);
    }
    arm(r, instant{0});
    records_.erase(it);
  }
  wish(ev.name, false, false, false);
}

bool machine::unknown(const std::string& name) {
  if (records_.count(name) > 0 || known_.count(name) > 0)
    return false;
  refuse(errc::invalid_spec, "there is no node \"" + name.substr(0, max_name_length) + "\"; see `troupe node list`");
  return true;
}

void machine::refuse(errc code, std::string why) { out_.refused = {code, std::move(why)}; }

} // namespace troupe::nodes
