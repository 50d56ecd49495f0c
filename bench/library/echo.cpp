// libbench_echo.so: what benchmarks run in worker processes.
#include "number.hpp"
#include <troupe/app/library/application.hpp>

namespace {

class echo {
public:
  troupe::bench::number operator()(troupe::bench::number x) { return x; }
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
