// A library that cannot be loaded, each build (FAULT_...) for a reason of its own.
#include "words.hpp"
#include <troupe/app/library/application.hpp>

#include <cstdlib>
#include <stdexcept>

namespace plugins {

struct echo {
  reply operator()(const question& x) { return {x.text, 1, 0, 0, 0}; }
};

#if defined(FAULT_UNDEFINED)
std::string defined_nowhere(int);
#endif
#if defined(FAULT_INITIALISER)
[[maybe_unused]] const int thrown = [] {
  throw std::runtime_error("no room for tables");
  return 0;
}();
#endif
#if defined(FAULT_MUST_NOT_RUN)
[[maybe_unused]] const int ended = (std::abort(), 0); // the test's process would end with it
#endif

} // namespace plugins

#if defined(FAULT_UNDEFINED_OF_TROUPE)
namespace troupe {
void not_in_this_version(int);
}
#endif

TROUPE_APPLICATION(app) {
#if defined(FAULT_UNDEFINED)
  plugins::defined_nowhere(1);
#elif defined(FAULT_UNDEFINED_OF_TROUPE)
  troupe::not_in_this_version(1);
#elif defined(FAULT_BUILDER)
  throw std::invalid_argument("args: \"model\" is missing");
#elif defined(FAULT_NAME_TWICE)
  app.deploy<plugins::echo>("echo").deploy<plugins::echo>("echo");
#elif defined(FAULT_INGRESS)
  app.deploy<plugins::echo>("echo").ingress("web");
#elif defined(FAULT_INGRESS_WITHOUT_HTTP)
  app.deploy<plugins::echo>("echo").ingress("echo");
#elif !defined(FAULT_NOTHING)
  app.deploy<plugins::echo>("echo");
#endif
}
