// A user's shared library against the installed package: compiles and links with nothing but troupe_add_library().
#include <troupe/app/library/application.hpp>

namespace {

struct page {
  troupe::response operator()(const troupe::request& x) { return troupe::response::text(200, x.path); }
};

} // namespace

TROUPE_APPLICATION(app) { app.deploy<page>("page"); }
