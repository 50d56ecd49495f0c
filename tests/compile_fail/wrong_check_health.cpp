// expect: `check_health` must be public and `void check_health..`. throw when unhealthy
#include <troupe/app/deployment/make_code.hpp>

struct ping {};
struct pong {};

struct asks_for_more {
  pong operator()(ping) { return {}; }
  bool check_health(int) { return true; }
};

const auto code = troupe::make_code<asks_for_more>();
