// What control actors do where CAF would print.
#include <troupe/actors/control/control_actor.hpp>

#include <caf/exit_reason.hpp>
#include <caf/scheduled_actor.hpp>
#include <caf/sec.hpp>

#include <exception>
#include <string>

namespace troupe::control {

void silence(caf::scheduled_actor* self, environment_ptr env) {
  self->set_default_handler(caf::drop);
  self->set_down_handler([](caf::scheduled_actor*, caf::down_msg&) {});
  self->set_exception_handler([env = std::move(env)](caf::scheduled_actor* dead, std::exception_ptr& e) -> caf::error {
    std::string text = "unknown exception";
    try {
      std::rethrow_exception(e);
    } catch (const std::exception& x) {
      text = x.what();
    } catch (...) {
    }
    env->log(log_level::error, std::string{"a control actor ended by an exception: "} + dead->name() + ": " + text);
    return caf::sec::runtime_error;
  });
}

} // namespace troupe::control
