// Events and effects in words.
#include <troupe/testing/describe.hpp>

namespace troupe::testing {

namespace {

namespace event = deployment_state::event;
namespace effect = deployment_state::effect;
using deployment_state::stop_cause;

std::string of(const replica_ref& r) { return " " + std::to_string(r.id); }

std::string number(std::uint64_t n) { return std::to_string(n); }

const char* text(stop_cause c) {
  switch (c) {
  case stop_cause::wave:
    return " (wave)";
  case stop_cause::surplus:
    return " (surplus)";
  case stop_cause::fault:
    return " (fault)";
  case stop_cause::removed:
    return " (removed)";
  }
  return "";
}

std::string release_text(const deployment_state::release_ptr& r) {
  return "R" + number(r->revision) + " (code " + number(r->code_id) + ", config " + number(r->config_id) + ")";
}

struct words {
  // events
  std::string operator()(const event::deploy& e) const {
    return "deploy " + e.spec.version + " x " + number(e.spec.num_replicas) + " config " + e.spec.user_config.dump();
  }
  std::string operator()(const event::scale& e) const { return "scale to " + number(e.num_replicas); }
  std::string operator()(const event::remove&) const { return "delete"; }
  std::string operator()(const event::control& e) const { return to_string(e.action) + " " + number(e.revision); }
  std::string operator()(const event::started& e) const { return "started" + of(e.replica); }
  std::string operator()(const event::reconfigured& e) const {
    return "reconfigured" + of(e.replica) + " seq " + number(e.seq) + (e.ok ? "" : " threw " + e.message);
  }
  std::string operator()(const event::checked& e) const { return "checked" + of(e.replica) + (e.ok ? "" : " failed"); }
  std::string operator()(const event::probed& e) const { return "probed" + of(e.replica); }
  std::string operator()(const event::stopped& e) const {
    return "stopped" + of(e.replica) + " " + to_string(e.reason) + " " + e.message;
  }
  std::string operator()(const event::stuck& e) const { return "stuck" + of(e.replica); }
  std::string operator()(const event::room& e) const {
    std::string text = "room";
    for (const auto n : e.granted)
      text += " " + number(n);
    return text + " seq " + number(e.seq) + '.' + number(e.serial);
  }
  std::string operator()(const event::placed& e) const { return "placed" + of(e.replica) + " on " + e.node; }
  std::string operator()(const event::evacuate& e) const { return (e.on ? "evacuate " : "keep ") + e.node; }
  std::string operator()(const event::timer&) const { return "timer"; }
  std::string operator()(const event::restore& e) const { return "restore R" + number(e.state->target); }
  std::string operator()(const event::restored_all&) const { return "restored all"; }
  // effects
  std::string operator()(const effect::start& e) const { return "start" + of(e.replica) + " " + release_text(e.what); }
  std::string operator()(const effect::route& e) const { return "route" + of(e.replica); }
  std::string operator()(const effect::update& e) const { return "update" + of(e.replica) + " seq " + number(e.seq); }
  std::string operator()(const effect::check& e) const { return "check" + of(e.replica); }
  std::string operator()(const effect::probe& e) const { return "probe" + of(e.replica); }
  std::string operator()(const effect::stop& e) const { return "stop" + of(e.replica) + text(e.cause); }
  std::string operator()(const effect::abandon& e) const { return "abandon" + of(e.replica); }
  std::string operator()(const effect::forget& e) const { return "forget" + of(e.replica); }
  std::string operator()(const effect::apply_options& e) const { return "target is " + release_text(e.from); }
  std::string operator()(const effect::serve& e) const { return e.unavailable ? "refuse" : "serve"; }
  std::string operator()(const effect::claim& e) const {
    std::string text = "claim";
    for (const auto& s : e.shapes)
      text += " " + number(s.want) + (s.each.empty() ? "" : " of (" + to_string(s.each) + ")");
    return text + " seq " + number(e.seq);
  }
  std::string operator()(const effect::arm_timer&) const { return {}; }
  std::string operator()(const effect::notify& e) const { return e.kind + " \"" + e.text + "\""; }
  std::string operator()(const effect::removed&) const { return "removed"; }
  std::string operator()(const effect::persist& e) const { return "store R" + number(e.what->target); }
};

} // namespace

std::string describe(const deployment_state::any_event& ev, const deployment_state::transition& t) {
  auto line = std::visit(words{}, ev) + (t.refused.code == errc::none ? " ->" : " -> refused: " + t.refused.message);
  for (const auto& e : t.effects)
    if (const auto w = std::visit(words{}, e); !w.empty())
      line += " " + w + ",";
  return line;
}

} // namespace troupe::testing
