// Code that ends the process it runs in; init_args, the request's text or the build (CRASH_...) say when and how.
#include "words.hpp"
#include <troupe/app/library/application.hpp>

#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <thread>
#include <unistd.h>

namespace plugins {

int read_from(const volatile int* nowhere) { return *nowhere; } // NOLINT

void fail() { throw std::runtime_error("not allowed to leave"); }

void throw_out_of_noexcept() noexcept { fail(); } // NOLINT: the point of it

// Small frames: the end is met in the guard page, where no signal handler can run but on a stack of its own.
int deeper(unsigned depth) { // NOLINT: recursion without an end
  volatile char here[128];
  here[depth % sizeof here] = static_cast<char>(depth);
  return depth == 0 ? 0 : deeper(depth + 1) + here[(std::size_t{depth} * 7) % sizeof here];
}

void crash(const std::string& how) {
  if (how == "segv")
    read_from(nullptr);
  else if (how == "abort")
    std::abort();
  else if (how == "noexcept")
    throw_out_of_noexcept();
  else if (how == "exit")
    std::exit(0); // NOLINT: the point of it
  else if (how == "quick_exit")
    std::quick_exit(0);
  else if (how == "_exit")
    ::_exit(0);
  else if (how == "stack")
    deeper(1);
  else if (how == "thread")
    std::thread([] { read_from(nullptr); }).join();
}

class crashing {
public:
  explicit crashing(const troupe::json& init_args) { crash(init_args.value("constructor", "")); }
  reply operator()(const question& x) {
    crash(x.text);
    return {"still here", 1, 0, 0, 0};
  }
};

#if defined(CRASH_AT_LOAD)
[[maybe_unused]] const int crashed = read_from(nullptr);
#endif

} // namespace plugins

TROUPE_APPLICATION(app) { app.deploy<plugins::crashing>("crashing"); }
