// expect: the class lacks a public call operator for a signature in its `calls`
#include <troupe/app/deployment/make_code.hpp>

struct ping {};
struct pong {};

struct confused {
  using calls = troupe::signatures<pong(ping)>;
  ping operator()(ping x) { return x; }
};

const auto code = troupe::make_code<confused>();
