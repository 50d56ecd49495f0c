// libbench_echo.so: what benchmarks run in worker processes.
#include <troupe/app/library/application.hpp>

#include <cstdint>

namespace {

class echo {
public:
  std::uint64_t operator()(std::uint64_t x) { return x; }
};

class hello {
public:
  troupe::response operator()(const troupe::request&) { return troupe::response::text(200, "Hello, World!"); }
};

} // namespace

TROUPE_APPLICATION(app) {
  app.deploy<echo>("echo");
  app.deploy<hello>("hello");
  app.deploy<hello>("large");
}
