// expect: `reconfigure` must be public and `void reconfigure.const troupe::json&.`
#include <troupe/app/deployment/make_code.hpp>

struct ping {};
struct pong {};

struct takes_an_int {
  pong operator()(ping) { return {}; }
  void reconfigure(int) {}
};

const auto code = troupe::make_code<takes_an_int>();
