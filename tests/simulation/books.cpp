// Invariants 3, 6, 9, 10 and 12 of SPEC 7, as callers and user code see them.
#include "books.hpp"

#include <algorithm>
#include <utility>

namespace troupe::simulation_tests {

namespace {

/// Until all processes of nodes know what there is, where nothing is lost.
constexpr std::chrono::milliseconds until_all_know{1'000};

} // namespace

books::books() {
  requests_.reserve(256);
  objects_.reserve(256);
}

void books::attach(simulation& s) {
  simulation_ = &s;
  crashed_ = false;
  for (auto& d : deployments_)
    d.since.reset();
  s.on_transition = [this](const std::string& name, const deployment_state::any_event& ev,
                           const deployment_state::transition& t) {
    const auto it =
        std::find_if(deployments_.begin(), deployments_.end(), [&](const auto& d) { return d.name == name; });
    if (it == deployments_.end())
      return;
    if (!it->since)
      it->since = simulation_->now();
    if (std::holds_alternative<deployment_state::event::remove>(ev))
      ++it->deletions;
    for (const auto& e : t.effects) {
      if (const auto* options = std::get_if<deployment_state::effect::apply_options>(&e)) {
        it->limit = options->from->spec.max_ongoing_requests;
        it->bounded |= options->from->spec.max_queued_requests >= 0;
        const auto index = it - deployments_.begin();
        for (auto& o : objects_)
          if (o.deployment == index && o.destroyed == 0)
            o.limit = std::max(o.limit, it->limit);
      } else if (std::holds_alternative<deployment_state::effect::stop>(e) ||
                 std::holds_alternative<deployment_state::effect::abandon>(e) ||
                 std::holds_alternative<deployment_state::effect::forget>(e)) {
        ++it->disturbances;
      }
    }
  };
}

void books::crash() {
  crashed_ = true;
  held_.clear();
  for (auto& r : requests_)
    if (r.outcomes == 0) {
      r.outcomes = 1;
      r.token = {};
    }
  open_requests_ = 0;
}

void books::process_ended(std::uint32_t process) {
  for (auto& r : requests_)
    if (r.process == process && r.outcomes == 0) {
      r.outcomes = 1;
      r.is_lost = true;
      r.token = {};
      --open_requests_;
    }
}

void books::line(std::string text) {
  simulation_->trace().line(simulation_->now().time_since_epoch(), [&] { return std::move(text); });
}

std::size_t books::add_deployment(std::string name) {
  deployments_.push_back({.name = std::move(name)});
  return deployments_.size() - 1;
}

// -- callers -------------------------------------------------------------------------------------------------------

std::uint32_t books::sent(request_record r, const std::shared_ptr<router>& to) {
  const auto& d = deployments_[r.deployment];
  r.disturbances = d.disturbances;
  r.may_be_unknown = r.process != 0 && (!d.since || simulation_->now() - *d.since < until_all_know);
  r.limit = to->limits().max_ongoing;
  r.by = to;
  r.given_back = to->given_back();
  r.deletions = d.deletions;
  requests_.push_back(std::move(r));
  ++open_requests_;
  return static_cast<std::uint32_t>(requests_.size() - 1);
}

void books::note_outcome(request_record& r, errc code) {
  if (crashed_ || r.is_lost)
    return;
  const auto number = static_cast<std::uint32_t>(&r - requests_.data());
  simulation_->trace().mix(std::uint64_t{number} * 32 + static_cast<std::uint64_t>(code));
  if (simulation_->trace().recording())
    line("request " + std::to_string(number) + ": " + (code == errc::none ? "answered" : to_string(code)));
  if (++r.outcomes > 1) {
    simulation_->report(3, "request " + std::to_string(number) + " has " + std::to_string(r.outcomes) + " outcomes");
    return;
  }
  r.code = code;
  r.token = {};
  --open_requests_;
  if (!excused(r, code))
    simulation_->report(3, "request " + std::to_string(number) + " to " + deployments_[r.deployment].name +
                               " failed (" + to_string(code) + ") without a reason");
}

bool books::excused(const request_record& r, errc code) const {
  const auto& d = deployments_[r.deployment];
  switch (code) {
  case errc::none:
    return true;
  case errc::timed_out:
    return r.has_timeout;
  case errc::cancelled:
    return r.cancelled;
  case errc::backpressure:
    return d.bounded;
  case errc::handler_failed:
    return r.kind == task_kind::throws;
  case errc::promise_dropped:
    return r.kind == task_kind::drops;
  case errc::unavailable:
    return faults_ || d.deletions > 0 || nodes_leave_ || r.may_be_unknown;
  case errc::replica_died:
    return faults_;
  default:
    return false;
  }
}

void books::answered(std::uint32_t request, const task_done& answer) {
  const auto& r = requests_[request];
  const auto one = crashed_ || r.is_lost ? 0U : 1U;
  answers_ += one;
  far_answers_ += r.process == 0 ? 0U : one;
  if (answer.number != request)
    simulation_->report(3,
                        "request " + std::to_string(request) + " got the answer of " + std::to_string(answer.number));
  note_outcome(requests_[request], errc::none);
}

void books::failed(std::uint32_t request, const error& why) { note_outcome(requests_[request], why.code); }

void books::cancel(std::uint32_t request) {
  auto& r = requests_[request];
  if (r.outcomes > 0)
    return;
  r.cancelled = true;
  auto token = r.token; // the outcome drops that of the record
  token.cancel();
}

// -- user code -----------------------------------------------------------------------------------------------------

std::uint32_t books::constructed() {
  const auto running = simulation_->running_replica();
  const auto& [name, ref] = running;
  const auto it =
      std::find_if(deployments_.begin(), deployments_.end(), [&](const auto& d) { return d.name == running.first; });
  const auto index = static_cast<std::uint32_t>(objects_.size());
  if (it == deployments_.end()) {
    simulation_->report(10, "an object was constructed for no known replica");
    objects_.emplace_back();
    return index;
  }
  objects_.push_back({.deployment = static_cast<std::uint8_t>(it - deployments_.begin()),
                      .limit = it->limit,
                      .replica = ref.id,
                      .config = {}});
  return index;
}

void books::destroyed(std::uint32_t object) {
  auto& o = objects_[object];
  ++deployments_[o.deployment].disturbances;
  for (std::uint32_t i = 0; i < held_.size(); ++i) // as if the object kept these promises itself
    if (held_[i].object == object && !held_[i].ended && requests_[held_[i].request].kind == task_kind::never) {
      ended(object);
      held_[i].ended = true;
      const auto dropped = std::move(held_[i].answer);
    }
  if (++o.destroyed > 1)
    simulation_->report(10, "the object of replica " + std::to_string(o.replica) + " was destroyed twice");
}

void books::reconfigured(std::uint32_t object, const json& config) {
  auto& o = objects_[object];
  if (o.open > 0)
    simulation_->report(6, "replica " + std::to_string(o.replica) + " reconfigures while " + std::to_string(o.open) +
                               " of its requests run or wait to answer");
  o.config = config;
}

void books::begun(std::uint32_t object, std::uint32_t request, const request_context& ctx) {
  auto& o = objects_[object];
  auto& r = requests_[request];
  const auto& d = deployments_[o.deployment];
  simulation_->trace().mix(object * 1024 + request);
  if (simulation_->trace().recording())
    line("request " + std::to_string(request) + " begins at " + d.name + " replica " + std::to_string(o.replica));
  const auto about = [&] {
    return "request " + std::to_string(request) + " at replica " + std::to_string(o.replica) + ": ";
  };
  if (++r.begun > (r.idempotent ? 3 : 1))
    simulation_->report(9, about() + "begun " + std::to_string(r.begun) + " times");
  const auto by = r.by.lock();
  if (by)
    r.limit = std::max(r.limit, by->limits().max_ongoing);
  const auto limit = std::max({o.limit, d.limit, r.process == 0 ? 0U : r.limit}); // it may not know of a lower one
  if (++o.open > limit)
    simulation_->report(12, about() + std::to_string(o.open) + " are begun, max_ongoing_requests is " +
                                std::to_string(limit));
  if (ctx.has_deadline() && simulation_->now() >= ctx.deadline)
    simulation_->report(12, about() + "begun after its deadline");
  const bool came_back = by && by->given_back() != r.given_back; // or another did: that one has left the queue twice
  auto& latest = o.latest[r.process];
  if (request < latest && r.begun == 1 && r.disturbances == d.disturbances && !came_back)
    simulation_->report(12, about() + "begun after one that arrived later, though no replica left meanwhile");
  latest = std::max(latest, request);
}

void books::ended(std::uint32_t object) { --objects_[object].open; }

void books::hold(std::uint32_t object, std::uint32_t request, promise<task_done> p) {
  const auto place = static_cast<std::uint32_t>(held_.size());
  if (answers_early)
    p.answer({request});
  held_.push_back({std::move(p), object, request});
  const auto& r = requests_[request];
  if (r.kind != task_kind::never || nothing_held_)
    simulation_->post([this, place](caf::event_based_actor&) { due(place); }, 0, std::max(r.takes, milliseconds{1}));
}

void books::due(std::uint32_t place) {
  auto mine = std::move(held_[place]);
  if (std::exchange(held_[place].ended, true))
    return;
  ended(mine.object);
  if (requests_[mine.request].kind == task_kind::drops)
    return;
  mine.answer.answer({mine.request});
}

void books::answer_all() {
  nothing_held_ = true;
  for (std::uint32_t i = 0; i < held_.size(); ++i)
    due(i);
}

// -- what there is -------------------------------------------------------------------------------------------------

std::uint32_t books::living(std::size_t deployment) const {
  return static_cast<std::uint32_t>(std::count_if(
      objects_.begin(), objects_.end(), [&](const auto& o) { return o.deployment == deployment && o.destroyed == 0; }));
}

std::uint32_t books::with_other_config(std::size_t deployment, const json& config) const {
  return static_cast<std::uint32_t>(std::count_if(objects_.begin(), objects_.end(), [&](const auto& o) {
    return o.deployment == deployment && o.destroyed == 0 && o.config != config;
  }));
}

std::uint32_t books::open_requests_of(std::size_t deployment) const {
  return static_cast<std::uint32_t>(std::count_if(requests_.begin(), requests_.end(), [&](const auto& r) {
    return r.deployment == deployment && r.outcomes == 0;
  }));
}

std::uint32_t books::not_destroyed_once() const {
  return static_cast<std::uint32_t>(
      std::count_if(objects_.begin(), objects_.end(), [](const auto& o) { return o.destroyed != 1; }));
}

} // namespace troupe::simulation_tests
