// expect: `calls` must list the class's call operators
#include <troupe/app/deployment/make_code.hpp>

struct ping {};
struct pong {};

struct unlisted {
  using calls = pong(ping);
  pong operator()(ping) { return {}; }
};

const auto code = troupe::make_code<unlisted>();
