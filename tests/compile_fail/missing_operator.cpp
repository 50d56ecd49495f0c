// expect: the class lacks a public call operator for a signature in its `calls`
#include <troupe/app/deployment/make_code.hpp>

struct ping {};
struct pong {};
struct lookup {};
struct entry {};

struct half {
  using calls = troupe::signatures<pong(ping), entry(lookup)>;
  pong operator()(ping) { return {}; }
};

const auto code = troupe::make_code<half>();
