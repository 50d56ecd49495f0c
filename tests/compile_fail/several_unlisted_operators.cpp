// expect: list them: `using calls = troupe::signatures<pong.ping., b.a.>.`
#include <troupe/app/deployment/make_code.hpp>

struct ping {};
struct pong {};

struct several {
  pong operator()(ping) { return {}; }
  ping operator()(pong) { return {}; }
};

const auto code = troupe::make_code<several>();
