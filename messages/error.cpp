// Names of the error codes, and the way to CAF's errors and back.
#include <troupe/messages/caf_compat.hpp>
#include <troupe/messages/error.hpp>

#include <caf/actor_system.hpp>

namespace troupe {

std::string to_string(errc code) {
  switch (code) {
  case errc::none:
    return "none";
  case errc::invalid_spec:
    return "invalid_spec";
  case errc::unknown_deployment:
    return "unknown_deployment";
  case errc::rejected:
    return "rejected";
  case errc::unavailable:
    return "unavailable";
  case errc::backpressure:
    return "backpressure";
  case errc::timed_out:
    return "timed_out";
  case errc::cancelled:
    return "cancelled";
  case errc::replica_died:
    return "replica_died";
  case errc::handler_failed:
    return "handler_failed";
  case errc::promise_dropped:
    return "promise_dropped";
  case errc::signature_mismatch:
    return "signature_mismatch";
  case errc::runtime_stopped:
    return "runtime_stopped";
  case errc::not_stored:
    return "not_stored";
  case errc::not_registered:
    return "not_registered";
  }
  return "unknown(" + std::to_string(static_cast<unsigned>(code)) + ")";
}

std::string to_string(const error& x) {
  return x.message.empty() ? to_string(x.code) : to_string(x.code) + ": " + x.message;
}

caf::error to_caf(const error& e) {
  if (e.code == errc::none)
    return caf::none;
  return caf::make_error(e.code, e.message);
}

error from_caf(const caf::error& e, const caf::actor_system& sys) {
  if (!e)
    return {};
  // A code of a newer peer that this release does not know is told with its text, like a foreign error.
  const auto code = static_cast<errc>(e.code());
  if (e.category() != caf::detail::error_factory<errc>::category || !wire::is_known(code))
    return {errc::unavailable, sys.render(e)};
  const auto& context = e.context();
  return {code, context.match_elements<std::string>() ? context.get_as<std::string>(0) : std::string{}};
}

} // namespace troupe
