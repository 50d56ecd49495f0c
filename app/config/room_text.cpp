// Compares what replicas ask for with what there is; the rules are those of deployment_state/room.cpp, on one machine.
#include <troupe/app/config/room_text.hpp>

#include <algorithm>

namespace troupe::config {

namespace {

std::string amount_of(const resources& from, std::string_view name) {
  return amount_text(name, from.of(name)) + ' ' + std::string(name);
}

std::string number(std::uint32_t k) { return k == 0 ? "none" : std::to_string(k); }

std::string of_n(std::uint32_t k, std::uint32_t n) { return number(k) + " of " + std::to_string(n); }

// 10 of 2 CPUs each on a machine of 10: room for 5 in all; while others hold 4, for 3 now.
std::string lasting(const resources& each, std::uint32_t n, const room_now& now, const resources& reachable) {
  const auto in_all = times_in(each, now.total, n);
  const auto at_once = now.at_rest ? times_in(each, reachable, n) : in_all;
  if (in_all < n)
    return "; room for " + of_n(in_all, n) + " in all" + (at_once < in_all ? ", for " + number(at_once) + " now" : "") +
           ", the others wait";
  return at_once < n ? "; room for " + of_n(at_once, n) + " now, the others wait" : "";
}

// With nothing free, 2 outgoing ones of 1 CPU make room for one of 2, and for none of 4.
std::string stopping(const deployment_spec& from, const deployment_spec& to, const room_now& now, bool no_surge) {
  const auto outgoing = std::min(to.rollout.max_unavailable.of(to.num_replicas), now.held);
  auto there = now.free;
  add(there, from.per_replica, outgoing);
  const auto lacking = first_lacking(to.per_replica, there);
  if (!lacking)
    return no_surge ? "; no room for a surge now: outdated ones stop first" : "";
  return std::string(no_surge ? "; no room for a surge now, and" : ";") +
         " a wave frees too little now: " + std::to_string(outgoing) + " outgoing and what is free make " +
         amount_of(there, lacking->name) + ", a new one asks for " + amount_text(lacking->name, lacking->amount) +
         ": it will wait";
}

std::string waves(const deployment_spec& from, const deployment_spec& to, const room_now& now) {
  const auto& knobs = to.rollout;
  if (knobs.strategy == rollout_strategy::stop_first)
    return stopping(from, to, now, false);
  auto surge = std::min(knobs.max_surge.of(to.num_replicas), now.held);
  if (knobs.canary > 0)
    surge = std::min(surge, knobs.canary);
  const auto fitting = times_in(to.per_replica, now.free, surge);
  if (fitting == 0)
    return knobs.surge_fallback && knobs.canary == 0 ? stopping(from, to, now, true)
                                                     : "; no room for a surge now: it will wait";
  return fitting < surge ? "; room for a surge of " + of_n(fitting, surge) + " now" : "";
}

} // namespace

std::string describe_room(const deployment_spec* from, const deployment_spec& to, change_kind change,
                          const room_now& now) {
  const auto& each = to.per_replica;
  if (each.empty() || change == change_kind::none)
    return {};
  if (const auto lacking = first_lacking(each, now.total))
    return "; its replicas wait for room: each asks for " + amount_text(lacking->name, lacking->amount) + ' ' +
           lacking->name + ", more than there is in all (" + amount_text(lacking->name, now.total.of(lacking->name)) +
           ")";
  if (change == change_kind::light)
    return {};
  auto reachable = now.free; // once all that the deployment holds is given back
  if (from)
    add(reachable, from->per_replica, now.held);
  auto text = lasting(each, to.num_replicas, now, reachable);
  if (from && change == change_kind::replaced && now.at_rest && now.held > 0)
    text += waves(*from, to, now);
  return text;
}

} // namespace troupe::config
