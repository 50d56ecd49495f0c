// expect: a factory returns the class or a std::unique_ptr of it
#include <troupe/app/deployment/make_code.hpp>

struct ping {};
struct pong {};

struct fine {
  pong operator()(ping) { return {}; }
};

const auto code = troupe::make_code<fine>([] { return ping{}; });
