// expect: the class cannot be constructed: give it a public constructor that takes nothing or `const troupe::json&`
#include <troupe/app/deployment/make_code.hpp>

struct ping {};
struct pong {};

struct needs_a_number {
  explicit needs_a_number(int) {}
  pong operator()(ping) { return {}; }
};

const auto code = troupe::make_code<needs_a_number>();
