// Waiting for a deployment that moves as fast as it can.
#include "deployed.hpp"

#include "bare.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>

namespace troupe::bench {

namespace {

std::unique_ptr<caf::actor_system> make_system(caf::actor_system_config& config, const std::string& policy) {
  register_messages(config);
  set_policy(config, policy);
  return std::make_unique<caf::actor_system>(config);
}

} // namespace

deployed::deployed(const std::string& policy)
    : system_(make_system(config_, policy)), runtime_(*system_, {.on_event = [this](const runtime_event& e) {
        if (e.what == "rollout_complete" || e.what == "rollout_failed") {
          ++rollouts_;
          rollouts_.notify_all();
        }
      }}) {}

void deployed::wait_until_whole() const {
  using steady = std::chrono::steady_clock;
  const auto start = steady::now();
  for (;;) {
    const auto s = runtime_.status(name, false);
    if (is_healthy(s) && s.stopping == 0)
      return;
    const auto waited = steady::now() - start;
    if (waited > std::chrono::minutes{3} || has_failed(s))
      throw std::runtime_error("not whole: " + to_string(s.state) + ", available " + std::to_string(s.available) +
                               " of " + std::to_string(s.num_replicas) + ", stopping " + std::to_string(s.stopping) +
                               ", " + s.message);
    // Looks often enough to be right within 2 %, seldom enough not to be what is measured.
    std::this_thread::sleep_for(
        std::clamp<steady::duration>(waited / 50, std::chrono::microseconds{20}, std::chrono::milliseconds{100}));
  }
}

} // namespace troupe::bench
