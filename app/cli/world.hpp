// What the commands of the program `troupe` see of the outside; tests give them another one.
#pragma once

#include <troupe/app/cluster/node.hpp>
#include <troupe/app/daemon/serve_options.hpp>

#include <chrono>
#include <functional>
#include <iosfwd>
#include <optional>
#include <stdexcept>
#include <string>

namespace troupe::cli {

/// How the program ends (SPEC 3).
enum class exit_code : int { done = 0, failed = 1, usage = 2, unreachable = 3, paused = 4 };

struct world {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  bool is_terminal = false; ///< Of `out`.
  bool has_colour = false;
  unsigned width = 80;
  std::function<std::optional<std::string>(const char* name)> environment;
  std::function<std::chrono::steady_clock::time_point()> now;
  std::function<void(std::chrono::milliseconds)> wait; ///< Between two looks at the daemon.
  std::function<int(const daemon::serve_options&)> serve;
  std::function<int(const cluster::node_options&)> run_node = {};
};

/// Ends a command: the sentence goes to stderr.
class failure : public std::runtime_error {
public:
  failure(exit_code code, const std::string& sentence) : std::runtime_error(sentence), code_(code) {}
  exit_code code() const noexcept { return code_; }

private:
  exit_code code_;
};

} // namespace troupe::cli
