// expect: two signatures in `calls` have the same request type. give each its own struct
#include <troupe/app/deployment/make_code.hpp>

struct ping {};
struct pong {};
struct peng {};

struct ambiguous {
  using calls = troupe::signatures<pong(ping), peng(ping)>;
  pong operator()(ping) { return {}; }
};

const auto code = troupe::make_code<ambiguous>();
