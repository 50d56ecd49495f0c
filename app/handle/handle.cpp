// What every call of a handle goes through.
#include <troupe/app/handle/handle.hpp>

namespace troupe::detail {

namespace {

std::shared_ptr<const request_tags> tags_of(call_options&& options, const call_base* parent) {
  auto tags =
      parent && parent->ctx.tags ? std::make_shared<request_tags>(*parent->ctx.tags) : std::make_shared<request_tags>();
  if (!options.routing_key.empty())
    tags->session_id = std::move(options.routing_key);
  if (!options.model_id.empty())
    tags->model_id = std::move(options.model_id);
  return tags;
}

} // namespace

void prepare(call_base& call, call_options&& options, const router& to) {
  const auto* parent = current_scope().call;
  if (options.timeout) {
    const auto now = to.now();
    if (*options.timeout < no_deadline - now)
      call.ctx.deadline = now + std::chrono::duration_cast<time_point::duration>(*options.timeout);
  }
  if (!options.routing_key.empty() || !options.model_id.empty())
    call.ctx.tags = tags_of(std::move(options), parent);
  call.inherit(parent);
}

void submit_from_thread(const std::shared_ptr<router>& to, call_ptr call) {
  replica::caller_unit unit{to->system()};
  router::submit(to, std::move(call), &unit);
  unit.run();
}

} // namespace troupe::detail
