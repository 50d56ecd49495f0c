// A router on a virtual clock, with calls that record their outcome and cells that the test itself drains.
#pragma once

#include <troupe/actors/router/maintenance.hpp>
#include <troupe/actors/router/router.hpp>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe::router_test {

using namespace std::chrono_literals;

struct ping {
  std::uint64_t number = 0;
};
struct pong {
  std::uint64_t number = 0;
};
using signature = pong(ping);

/// Outlives its calls. Thread-safe.
struct outcome {
  std::atomic<int> deliveries{0};
  std::atomic<errc> code{errc::none};
  std::atomic<std::uint64_t> answer{0};
};

class recorded_call final : public typed_call<signature> {
public:
  inline static std::atomic<int> alive{0};

  recorded_call(std::uint64_t number, router_test::outcome& to) : typed_call(ping{number}), to_(to) { ++alive; }
  ~recorded_call() override { --alive; }

private:
  void deliver() noexcept override {
    auto& got = this->outcome();
    to_.code = got.code();
    if (got.ok())
      to_.answer = got->number;
    ++to_.deliveries;
  }
  router_test::outcome& to_;
};

inline std::uint64_t number_of(const call_ptr& call) {
  return static_cast<typed_call<signature>&>(*call).request().number;
}

inline void answer(const call_ptr& call, attempt_number which, std::uint64_t value) {
  static_cast<typed_call<signature>&>(*call).answer(which, pong{value});
}

inline void answer(const call_ptr& call) { answer(call, call->attempts(), number_of(call) * 10); }

struct virtual_config : caf::actor_system_config {
  virtual_config() { set("scheduler.policy", caf::atom("testing")); }
};

/// The router has a maintenance actor; time passes by `pass`.
class world {
public:
  explicit world(router_limits limits = {}, std::uint64_t seed = 1)
      : calls(router::make(sys, {.name = "spell", .limits = limits, .seed = seed})),
        maintenance_(spawn_maintenance(sys, calls)) {}
  world(const world&) = delete;
  world& operator=(const world&) = delete;
  ~world() {
    calls->shut({errc::runtime_stopped, {}});
    for (auto* c : cells)
      calls->release(*c);
    caf::anon_send_exit(maintenance_, caf::exit_reason::kill);
    maintenance_ = nullptr;
    scheduler.run();
  }

  cell& replica() {
    auto& c = calls->acquire({cells.size() + 1, 0});
    cells.push_back(&c);
    calls->open(c);
    return c;
  }

  /// `number` is what the request carries.
  call_ptr send(std::uint64_t number, std::optional<std::chrono::nanoseconds> timeout = std::nullopt,
                const call_base* parent = nullptr, std::string session = {}) {
    outcomes.resize(std::max<std::size_t>(outcomes.size(), number + 1));
    if (!outcomes[number])
      outcomes[number] = std::make_unique<outcome>();
    call_ptr call{new recorded_call(number, *outcomes[number]), false};
    if (timeout)
      call->ctx.deadline = calls->now() + *timeout;
    if (!session.empty()) {
      auto tags = std::make_shared<request_tags>();
      tags->session_id = std::move(session);
      call->ctx.tags = std::move(tags);
    }
    call->inherit(parent);
    router::submit(calls, call, nullptr);
    return call;
  }

  outcome& of(std::uint64_t number) { return *outcomes[number]; }
  /// Nothing delivered: `none` with 0 deliveries.
  bool open(std::uint64_t number) { return of(number).deliveries == 0; }
  bool failed(std::uint64_t number, errc code) { return of(number).deliveries == 1 && of(number).code == code; }
  bool answered(std::uint64_t number) {
    return of(number).deliveries == 1 && of(number).code == errc::none && of(number).answer == number * 10;
  }

  void pass(std::chrono::nanoseconds time) {
    scheduler.advance_time(std::chrono::duration_cast<caf::timespan>(time));
    scheduler.run();
  }

  /// Takes all that `c` has and does not answer.
  std::vector<call_ptr> take(cell& c) {
    std::vector<call_ptr> all;
    while (auto call = c.next())
      all.push_back(std::move(call));
    kept_.insert(kept_.end(), all.begin(), all.end()); // as a replica does till it has ended the attempt
    return all;
  }
  static std::vector<std::uint64_t> numbers(const std::vector<call_ptr>& all) {
    std::vector<std::uint64_t> result;
    result.reserve(all.size());
    for (auto& call : all)
      result.push_back(number_of(call));
    return result;
  }

  virtual_config config;
  caf::actor_system sys{config};
  caf::scheduler::test_coordinator& scheduler = dynamic_cast<caf::scheduler::test_coordinator&>(sys.scheduler());
  std::vector<std::unique_ptr<outcome>> outcomes;
  std::shared_ptr<router> calls;
  std::vector<cell*> cells;

private:
  std::vector<call_ptr> kept_;
  caf::actor maintenance_;
};

using list = std::vector<std::uint64_t>;

} // namespace troupe::router_test
