// Bridges plain threads to the controller.
#include <troupe/actors/control/thread_note.hpp>
#include <troupe/actors/controller/admission.hpp>
#include <troupe/actors/controller/suggest.hpp>
#include <troupe/app/runtime/core.hpp>
#include <troupe/app/runtime/runtime.hpp>
#include <troupe/messages/stored_deployment.hpp>

#include <caf/send.hpp>

#include <algorithm>

namespace troupe {

runtime::runtime(caf::actor_system& host, runtime_options options)
    : core_(std::make_unique<core>(&host, std::move(options))) {}

runtime::runtime(runtime_options options) : core_(std::make_unique<core>(nullptr, std::move(options))) {}

runtime::~runtime() { core_->shut_down(); }

void runtime::set_shutdown_timeout(milliseconds at_most) { core_->shutdown_timeout = at_most; }

// -- deploying -------------------------------------------------------------------------------------------------------

result<command_result> runtime::try_run(deployment_options what, std::shared_ptr<const code> user_code) {
  auto name = user_code ? user_code->traits().name : std::string{};
  return core_->ask<command_result>(deploy_deployment{what.spec(), {std::move(name), std::move(user_code)}});
}

command_result runtime::run(deployment_options what, std::shared_ptr<const code> user_code) {
  auto answer = try_run(what, user_code);
  if (answer)
    return std::move(*answer);
  auto fields = std::vector<field_error>{};
  if (answer.code() == errc::invalid_spec)
    fields = controller::problems_of({what.spec(), {{}, std::move(user_code)}}, core_->on_nodes);
  throw deploy_error{answer.why(), std::move(fields)};
}

// -- requests --------------------------------------------------------------------------------------------------------

std::shared_ptr<router> runtime::find_router(std::string_view name, const std::vector<signature_info>& wanted) const {
  const auto parsed = parse_deployment_name(name);
  const auto found = core_->listed->find(parsed);
  if (!found)
    throw command_failed{controller::unknown_deployment(parsed, core_->listed->names())};
  const auto& offered = found->user_code->traits().signatures;
  for (const auto& w : wanted) {
    if (std::any_of(offered.begin(), offered.end(), [&](const auto& o) { return o.key == w.key; }))
      continue;
    auto text = parsed.full() + " does not answer " + w.name + "; " + found->user_code->traits().name + " answers ";
    for (std::size_t i = 0; i < offered.size(); ++i)
      text += (i == 0 ? "" : ", ") + offered[i].name;
    throw command_failed{{errc::signature_mismatch, text}};
  }
  // Asked by user code of a deployment (a constructor, most often): it calls the other, and stops before it.
  if (const auto* note = control::innermost_note(); note && note->replica != 0 && note->deployment)
    core_->calls.add(parse_deployment_name(*note->deployment), parsed);
  return found->calls;
}

// -- control ---------------------------------------------------------------------------------------------------------

command_result runtime::scale(std::string_view name, std::uint32_t num_replicas) {
  return core_->demand<command_result>(scale_deployment{parse_deployment_name(name), num_replicas});
}

command_result runtime::command(std::string_view name, rollout_action action, std::uint64_t revision, code_ref code) {
  return core_->demand<command_result>(control_rollout{parse_deployment_name(name), action, revision, std::move(code)});
}

command_result runtime::pause(std::string_view name) { return command(name, rollout_action::pause); }
command_result runtime::resume(std::string_view name) { return command(name, rollout_action::resume); }
command_result runtime::promote(std::string_view name) { return command(name, rollout_action::promote); }
command_result runtime::abort(std::string_view name) { return command(name, rollout_action::abort); }
command_result runtime::restart(std::string_view name, code_ref loaded_anew) {
  return command(name, rollout_action::restart, 0, std::move(loaded_anew));
}
command_result runtime::rollback(std::string_view name, std::uint64_t revision, code_ref loaded_anew) {
  return command(name, rollout_action::rollback, revision, std::move(loaded_anew));
}

result<command_result> runtime::try_deploy(deployment_spec spec, code_ref user_code) {
  return core_->ask<command_result>(deploy_deployment{std::move(spec), std::move(user_code)});
}

command_result runtime::restore(std::shared_ptr<const stored_deployment> state, bool others_follow) {
  auto name = state->name;
  return core_->demand<command_result>(restore_deployment{std::move(name), std::move(state), others_follow});
}

void runtime::finish_restoration() { caf::anon_send(core_->controller, restoration_finished{}); }

void runtime::remove(std::string_view name) {
  core_->demand<removed_deployment>(delete_deployment{parse_deployment_name(name)});
}

void runtime::begin_remove(std::string_view name) {
  caf::anon_send(core_->controller, delete_deployment{parse_deployment_name(name)});
}

// -- seeing ----------------------------------------------------------------------------------------------------------

deployment_status runtime::status(std::string_view name, bool with_replicas) const {
  return core_->demand<deployment_status>(get_deployment{parse_deployment_name(name), with_replicas});
}

std::vector<application_status> runtime::applications(bool with_replicas) const {
  return core_->demand<application_list>(get_applications{with_replicas}).applications;
}

deployment_spec runtime::config(std::string_view name) const {
  return core_->demand<deployment_spec>(get_effective_spec{parse_deployment_name(name)});
}

std::vector<revision_info> runtime::history(std::string_view name) const {
  return core_->demand<revision_list>(get_history{parse_deployment_name(name)}).revisions;
}

resource_report runtime::resources() const { return core_->demand<resource_report>(get_resources{}); }

std::vector<deployment_metrics> runtime::metrics() const {
  std::vector<deployment_metrics> out;
  for (const auto& d : core_->listed->all())
    out.push_back({d.name, d.calls->queued(), d.calls->ongoing(), d.calls->overdue(), core_->hub->counts(d.name)});
  return out;
}

std::uint32_t runtime::given_up() const {
  std::uint32_t sum = 0;
  for (const auto& a : applications())
    for (const auto& d : a.deployments)
      sum += d.given_up;
  for (const auto& x : core_->listed->leftovers())
    sum += x.replicas;
  return sum;
}

// -- waiting ---------------------------------------------------------------------------------------------------------

bool runtime::wait_until(std::string_view name, const condition& done, milliseconds timeout) const {
  using steady = std::chrono::steady_clock;
  constexpr milliseconds relook{100}; // figures such as `queued` change without an event
  const auto parsed = parse_deployment_name(name);
  const auto start = steady::now();
  const auto until = timeout < max_duration ? start + timeout : start + max_duration;
  while (true) {
    const auto seen = core_->hub->stamp(parsed);
    if (done(status(name, false)))
      return true;
    const auto now = steady::now();
    if (now >= until)
      return false;
    core_->hub->wait(parsed, seen, std::min<steady::time_point>(until, now + relook));
  }
}

bool runtime::wait_until_healthy(std::string_view name, milliseconds timeout) const {
  bool well = false;
  const auto decided = [&](const deployment_status& x) {
    well = is_healthy(x);
    return well || has_failed(x);
  };
  return wait_until(name, decided, timeout) && well;
}

bool runtime::wait_until_settled(std::string_view name, milliseconds timeout) const {
  return wait_until(name, is_settled, timeout);
}

// -- for actors ------------------------------------------------------------------------------------------------------

caf::actor_system& runtime::system() const { return core_->system; }
const controller_actor& runtime::controller() const { return core_->controller; }
const std::shared_ptr<const control::environment>& runtime::environment() const { return core_->env; }

} // namespace troupe
