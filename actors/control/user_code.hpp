// Which user code runs where: what the watchdog, the simulation and the router are told about it.
#pragma once

#include <troupe/messages/replica.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace troupe::control {

/// What of a replica's user code runs. Also the value of `cell::running`.
enum class user_code_kind : std::uint8_t { none = 0, constructor, handler, reconfigure, check, destructor };
const char* name_of(user_code_kind x) noexcept;
std::string to_string(user_code_kind x);

/// The simulation's seam around user code. Confined to the simulation's thread.
class user_code_hook {
public:
  struct answer {
    std::chrono::nanoseconds takes{0}; ///< Virtual time before the user code runs (or throws); 0 = at once.
    std::optional<std::string> throws; ///< Set: throw a `std::runtime_error` with this text instead of running it.
  };

  virtual ~user_code_hook();
  /// Asked before each constructor, reconfigure and check of a replica; not before handlers and destructors.
  virtual answer before(user_code_kind kind, const replica_ref& replica, const std::string& deployment) = 0;
};

} // namespace troupe::control
