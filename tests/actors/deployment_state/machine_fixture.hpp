// Short words for the machine's example tests.
#pragma once

#include "machine_world.hpp"

#include <doctest/doctest.h>

namespace troupe::deployment_state::test {

/// A target of `n` replicas; `change` sets the rest.
inline deployment_spec target(const std::string& version, std::uint32_t n, json config = nullptr) {
  deployment_spec s;
  s.name = "d";
  s.version = version;
  s.num_replicas = n;
  s.user_config = json_doc{std::move(config)};
  return s;
}

template <class Change>
deployment_spec target(const std::string& version, std::uint32_t n,
                       Change change) requires std::is_invocable_v<Change, deployment_spec&> {
  auto s = target(version, n);
  change(s);
  return s;
}

/// `s` runs whole in `w`, and the extremes are counted from there.
inline void establish(world& w, const deployment_spec& s) {
  w.deploy(s);
  w.run_for(30s); // also past the 10 s in which a death counts as early
  REQUIRE(w.state() == deployment_state_name::healthy);
  w.reset_extremes();
}

/// Code of this version does not start.
inline world::behaviour broken_version(const std::string& version) {
  return [version](const puppet& p) {
    outcome o;
    o.ok = p.what->spec.version != version;
    return o;
  };
}

inline void stop_first(deployment_spec& s) { s.rollout.strategy = rollout_strategy::stop_first; }

inline resources cpus(std::uint64_t n) { return resources{}.set(resource_name::cpus, n * resource_unit); }

/// A target whose replicas ask for so many CPUs each.
inline deployment_spec asking(const std::string& version, std::uint32_t n, std::uint64_t cpus_each) {
  return target(version, n, [&](deployment_spec& s) { s.per_replica = cpus(cpus_each); });
}

#define CHECK_SOUND(w) CHECK_MESSAGE((w).broken.empty(), ((w).broken.empty() ? std::string{} : (w).broken.front()))

using state = deployment_state_name;
using sizes = std::vector<std::uint32_t>;

} // namespace troupe::deployment_state::test
