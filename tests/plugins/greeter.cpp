// A library with all kinds of static data, built in two versions and with several flags (GREETER_VERSION).
#include "words.hpp"
#include <troupe/app/library/application.hpp>

#include <atomic>
#include <stdexcept>

namespace plugins {

inline int& version_of_inline() {
  static int version = GREETER_VERSION; // NOLINT: the point of the test
  return version;
}

template <class T>
struct holder {
  inline static int version = GREETER_VERSION;
};

/// The test program exports a function of this name, too.
std::string who_am_i() { return "greeter " + std::to_string(GREETER_VERSION); }

/// An exception type that only this library knows.
struct library_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::atomic<int> answers{0};

class greeter {
public:
  explicit greeter(const troupe::json& init_args) {
    if (init_args.is_object() && init_args.contains("fail"))
      throw library_error("cannot start: " + init_args.at("fail").get<std::string>());
  }
  reply operator()(const question& x) {
    if (x.text == "throw")
      throw library_error("no answer from version " + std::to_string(GREETER_VERSION));
    return {who_am_i() + ": " + x.text, GREETER_VERSION, version_of_inline(), holder<greeter>::version, ++answers};
  }
  void reconfigure(const troupe::json&) {}
};

} // namespace plugins

TROUPE_APPLICATION(app) {
  auto replicas = app.args().is_object() ? app.args().value("replicas", 2U) : 2U;
  app.deploy<plugins::greeter>(troupe::deployment_options{"greeter"}.num_replicas(replicas));
}
