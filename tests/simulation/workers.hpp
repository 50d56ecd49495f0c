// Worker processes in a simulated world: the real hosts and replicas in them, which come up late or never, freeze, and
// crash.
#pragma once

#include <troupe/actors/replica/workers.hpp>
#include <troupe/testing/random.hpp>
#include <troupe/testing/simulation.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace troupe::simulation_tests {

/// As `worker::pool` is, without processes. Confined to its simulation, which it outlives.
class simulated_workers final : public replica::worker_source {
public:
  explicit simulated_workers(std::uint64_t seed) : chance_(seed) {}

  void attach(testing::simulation& world);
  /// Lateness, freezing, and workers that never come up; crashes come with `crash_one`.
  void allow_faults(bool yes) { faults_ = yes; }

  /// `inner`, as a library's deployment `name`, in workers.
  std::shared_ptr<const code> code_for(std::shared_ptr<const code> inner, std::string name);

  void crash_one(); ///< A worker that is up, chosen by the seed, ends without a word.

  void attach(replica::worker_place place, std::shared_ptr<const replica::remote_code> what,
              caf::strong_actor_ptr who) override;
  void detach(std::uint64_t place) override;
  void kill(std::uint64_t place, std::string why) override;

private:
  struct worker {
    std::shared_ptr<const replica::remote_code> what;
    caf::strong_actor_ptr who;
    worker_host_actor host; ///< Null until it is up.
  };

  void come_up(std::uint64_t place);
  void lose(std::uint64_t place, const std::string& how);
  void end(worker& w, std::uint64_t place);

  testing::random_source chance_;
  testing::simulation* world_ = nullptr;
  bool faults_ = false;
  std::map<std::uint64_t, worker> workers_;
  std::vector<worker_host_actor> ended_; ///< Calls that are still open refer to them.
};

} // namespace troupe::simulation_tests
