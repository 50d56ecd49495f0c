// Names of the kinds of user code.
#include <troupe/actors/control/user_code.hpp>

namespace troupe::control {

user_code_hook::~user_code_hook() = default;

const char* name_of(user_code_kind x) noexcept {
  switch (x) {
  case user_code_kind::none:
    return "none";
  case user_code_kind::constructor:
    return "constructor";
  case user_code_kind::handler:
    return "handler";
  case user_code_kind::reconfigure:
    return "reconfigure";
  case user_code_kind::check:
    return "check_health";
  case user_code_kind::destructor:
    return "destructor";
  }
  return "unknown";
}

std::string to_string(user_code_kind x) { return name_of(x); }

} // namespace troupe::control
