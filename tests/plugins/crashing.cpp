// Code that ends the process it runs in; init_args, the request's text or the build (CRASH_...) say when and how.
#include "words.hpp"
#include <troupe/app/library/application.hpp>

#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <thread>

namespace plugins {

int read_from(const volatile int* nowhere) { return *nowhere; } // NOLINT

void fail() { throw std::runtime_error("not allowed to leave"); }

void throw_out_of_noexcept() noexcept { fail(); } // NOLINT: the point of it

int deeper(volatile char* above, int n) {
  volatile char here[4096];
  here[0] = static_cast<char>(n);
  return n == 0 ? above[0] : deeper(here, n + 1) + here[0];
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
  else if (how == "stack")
    deeper(nullptr, 1);
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
