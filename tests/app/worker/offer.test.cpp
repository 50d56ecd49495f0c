// What a library declares, on its way from a worker to the daemon.
#include <troupe/app/deployment/make_code.hpp>
#include <troupe/app/worker/offer.hpp>

#include <doctest/doctest.h>

using namespace troupe;

namespace {

struct echo {
  int operator()(const int& x) const { return x; }
};

library::application_code declared(deployment_spec defaults) {
  return {"digest", "libx.so:app", 0, {{std::move(defaults), make_code<echo>(), true}}};
}

result<library::application_code> sent(const library::application_code& x) {
  return worker::offer_from(worker::to_json(x),
                            [](const std::string&, const code_traits&) { return make_code<echo>(); });
}

} // namespace

TEST_CASE("what a library declares comes over whole") {
  deployment_spec spec;
  spec.name = "d";
  spec.num_replicas = 7;
  spec.per_replica.set(resource_name::cpus, 5000).set("tokens", 1);
  spec.rollout.canary = 1;
  const auto got = sent(declared(spec));
  REQUIRE(got);
  CHECK(got->digest == "digest");
  CHECK(got->import_path == "libx.so:app");
  REQUIRE(got->deployments.size() == 1);
  CHECK(got->deployments[0].defaults == spec);
  CHECK(got->deployments[0].is_ingress);
}

TEST_CASE("bad options that a library declares are told, not dropped") {
  deployment_spec spec;
  spec.name = "d";
  spec.num_replicas = 0;
  spec.per_replica.set(resource_name::gpus, 15'000).set("no good", 1);
  const auto got = sent(declared(spec));
  REQUIRE_FALSE(got);
  CHECK(got.code() == errc::invalid_spec);
  for (const auto* path : {"num_replicas", "ray_actor_options.num_gpus", "ray_actor_options.resources.no good"})
    CHECK_MESSAGE(got.why().message.find("d (as the code declares it)." + std::string(path)) != std::string::npos,
                  got.why().message);
}
