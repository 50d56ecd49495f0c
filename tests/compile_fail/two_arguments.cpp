// expect: a call signature has one argument, a struct: `answer.request.`
#include <troupe/app/deployment/make_code.hpp>

struct ping {};
struct pong {};

struct wide {
  using calls = troupe::signatures<pong(ping, int)>;
  pong operator()(ping, int) { return {}; }
};

const auto code = troupe::make_code<wide>();
