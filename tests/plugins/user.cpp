// A library that links another shared one.
#include "words.hpp"
#include <troupe/app/library/application.hpp>

namespace plugins {

int version_of_dependency();
int dependency_started();

struct user {
  reply operator()(const question& x) { return {x.text, version_of_dependency(), dependency_started(), 0, 0}; }
};

} // namespace plugins

TROUPE_APPLICATION(app) { app.deploy<plugins::user>("user"); }
