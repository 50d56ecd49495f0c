// expect: a deployment's class needs a public call operator: write `pong operator...ping.`
#include <troupe/app/deployment/make_code.hpp>

struct empty {};

const auto code = troupe::make_code<empty>();
