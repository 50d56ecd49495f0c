// What may go wrong in a simulated world: control messages copied and delayed, user code that is slow or throws.
#pragma once

#include <troupe/actors/control/environment.hpp>
#include <troupe/actors/control/post.hpp>
#include <troupe/actors/control/user_code.hpp>
#include <troupe/testing/random.hpp>
#include <troupe/testing/trace.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace troupe::testing {

using std::chrono::milliseconds;

/// Chances in 1000, each drawn anew for every message or piece of user code. All off by default.
struct fault_plan {
  std::uint32_t copied_messages = 0;  ///< Control messages that arrive twice, the second time late.
  std::uint32_t delayed_messages = 0; ///< Control messages that arrive late, and so after later ones.
  milliseconds longest_delay{50};
  std::uint32_t slow_user_code = 0; ///< Constructors, reconfigures and checks that take up to `slowest`.
  milliseconds slowest{2'000};
  std::uint32_t failing_starts = 0; ///< Constructors that throw.
  std::uint32_t failing_reconfigures = 0;
  std::uint32_t failing_checks = 0;
};

/// Stands where shells send control messages. Confined to its world.
class message_faults final : public control::interceptor {
public:
  message_faults(caf::actor_system& sys, std::uint64_t seed, trace& log) : system_(sys), chance_(seed), trace_(log) {}

  void post(const caf::strong_actor_ptr& sender, const caf::strong_actor_ptr& dest, caf::message content) override;

  void use(const fault_plan& plan) { plan_ = plan; }
  /// Control messages sent so far that are no health checks.
  std::uint64_t sent_without_checks() const noexcept { return sent_; }
  /// Each message before it is sent; those for which it is false are neither copied nor delayed. May be empty.
  std::function<bool(const caf::message&)> may_spoil;
  /// Loses each message for which this is true; for simulations that must fail.
  std::function<bool(const caf::message&)> loses;

private:
  void deliver_late(const caf::strong_actor_ptr& sender, const caf::strong_actor_ptr& dest,
                    const caf::message& content);

  caf::actor_system& system_;
  random_source chance_;
  trace& trace_;
  fault_plan plan_;
  std::uint64_t sent_ = 0;
};

/// Stands around user code. Confined to its world.
class code_faults final : public control::user_code_hook {
public:
  explicit code_faults(std::uint64_t seed) : chance_(seed) {}

  answer before(control::user_code_kind kind, const replica_ref& replica, const std::string& deployment) override;

  void use(const fault_plan& plan) { plan_ = plan; }
  /// The next `count` runs of this kind throw `message`.
  void fail(control::user_code_kind kind, std::string message, std::uint32_t count);
  /// All runs of this kind take so long from now on; 0 = at once.
  void slow(control::user_code_kind kind, milliseconds takes);
  /// Called before each run.
  std::function<void(control::user_code_kind, const replica_ref&, const std::string& deployment)> on_run;

private:
  struct ordered {
    std::string message;
    std::uint32_t failures = 0;
    milliseconds takes{0};
  };
  ordered& of(control::user_code_kind kind) { return ordered_[static_cast<std::size_t>(kind)]; }

  random_source chance_;
  fault_plan plan_;
  std::array<ordered, 6> ordered_;
};

} // namespace troupe::testing
