// The program `troupe`: the real world for its commands.
#include <troupe/app/cli/run.hpp>
#include <troupe/app/cluster/node.hpp>
#include <troupe/app/daemon/serve.hpp>
#include <troupe/app/worker/host.hpp>

#include <cstdlib>
#include <iostream>
#include <string_view>
#include <sys/ioctl.h>
#include <thread>
#include <unistd.h>

namespace {

std::optional<std::string> environment(const char* name) {
  const char* value = std::getenv(name); // NOLINT(concurrency-mt-unsafe): before any thread
  return value ? std::optional<std::string>{value} : std::nullopt;
}

unsigned terminal_width() {
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

} // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view{argv[1]} == "worker") // no command for people
    return troupe::worker::run_worker();
  std::ios::sync_with_stdio(false);
  const bool is_terminal = ::isatty(STDOUT_FILENO) == 1 && environment("TERM").value_or("") != "dumb";
  troupe::cli::world w{.in = std::cin,
                       .out = std::cout,
                       .err = std::cerr,
                       .is_terminal = is_terminal,
                       .has_colour = is_terminal && environment("NO_COLOR").value_or("").empty(),
                       .width = terminal_width(),
                       .environment = environment,
                       .now = [] { return std::chrono::steady_clock::now(); },
                       .wait = [](std::chrono::milliseconds x) { std::this_thread::sleep_for(x); },
                       .serve = troupe::daemon::serve,
                       .run_node = troupe::cluster::run_node};
  return troupe::cli::run({argv + 1, argv + argc}, w);
}
