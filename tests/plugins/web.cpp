// Deployments that answer HTTP: the last one declared is the ingress, or the one that is chosen.
#include "words.hpp"
#include <troupe/app/library/application.hpp>

namespace plugins {

struct page {
  troupe::response operator()(const troupe::request& x) { return troupe::response::text(200, x.method + " " + x.path); }
};
struct index : page {
  using page::operator();
};
struct helper {
  reply operator()(const question& x) { return {x.text, 1, 0, 0, 0}; }
};

} // namespace plugins

TROUPE_APPLICATION(app) {
  app.deploy<plugins::page>("page").deploy<plugins::index>("index").deploy<plugins::helper>("helper");
  if (app.args().is_string())
    app.ingress(app.args().get<std::string>());
}
