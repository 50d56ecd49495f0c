// Exactly one outcome per request while threads send, cancel, time out, close, abandon, reconfigure and change limits.
#include "router_fixture.hpp"

#include <doctest/doctest.h>

#include <random>
#include <thread>

using namespace troupe;
using namespace troupe::router_test;

namespace {

/// Counts outcomes; freed by the router.
struct tally {
  std::atomic<std::uint64_t> answered{0}, failed{0}, twice{0}, alive{0};
};

class counted_call final : public typed_call<signature> {
public:
  counted_call(std::uint64_t n, tally& to) : typed_call(ping{n}), to_(to) { ++to_.alive; }
  ~counted_call() override { --to_.alive; }
  std::atomic<int> begun{0};

private:
  void deliver() noexcept override {
    if (delivered_.exchange(true))
      ++to_.twice;
    ++(outcome().ok() ? to_.answered : to_.failed);
  }
  tally& to_;
  std::atomic<bool> delivered_{false};
};

struct hammer {
  static constexpr std::uint64_t senders = 3, per_sender = 20'000;

  caf::actor_system_config config;
  caf::actor_system sys{config};
  std::shared_ptr<router> calls;
  caf::actor maintenance;
  tally counts;
  std::atomic<std::uint64_t> begun_again{0};
  std::atomic<bool> over{false};

  explicit hammer(router_limits limits)
      : calls(router::make(sys, {.name = "hammered", .limits = limits})), maintenance(spawn_maintenance(sys, calls)) {}
  ~hammer() { caf::anon_send_exit(maintenance, caf::exit_reason::kill); }

  void send_many(std::uint64_t seed) {
    std::mt19937_64 random{seed};
    for (std::uint64_t i = 0; i < per_sender; ++i) {
      call_ptr call{new counted_call(i, counts), false};
      if (random() % 8 == 0)
        call->ctx.deadline = calls->now() + std::chrono::microseconds{random() % 8000};
      const bool cancel = random() % 16 == 0;
      router::submit(calls, cancel ? call : std::move(call), nullptr);
      if (cancel)
        call_token{call}.cancel();
      while (calls->queued() > 5000)
        std::this_thread::yield();
    }
  }

  /// One replica after the other on this thread: serves, then is closed and drained or abandoned by it or by another.
  void replace_replicas(std::uint64_t seed) {
    std::mt19937_64 random{seed};
    for (std::uint64_t id = 1; !over; ++id) {
      auto& c = calls->acquire({id, 0});
      calls->open(c);
      std::vector<std::pair<call_ptr, attempt_number>> begun;
      for (auto turns = 20 + random() % 400; turns > 0; --turns) {
        if (auto call = c.next()) {
          if (static_cast<counted_call&>(*call).begun.fetch_add(1) > 0)
            ++begun_again;
          const auto attempt = call->attempts();
          begun.emplace_back(std::move(call), attempt);
        }
        if (random() % 64 == 0) {
          c.set_reconfiguring(true);
          c.set_reconfiguring(false);
        }
        if (!begun.empty() && random() % 4 != 0) {
          auto [call, attempt] = std::move(begun.back());
          begun.pop_back();
          answer(call, attempt, 0);
        }
      }
      if (random() % 2 == 0) {
        calls->close(c);
        CHECK_FALSE(c.next());
        for (auto& [call, attempt] : begun)
          answer(call, attempt, 0);
        begun.clear();
        CHECK(c.begun() == 0);
      }
      calls->release(c);
      for (auto& [call, attempt] : begun) // late
        answer(call, attempt, 0);
    }
  }

  void run() {
    std::vector<std::thread> sending, others;
    for (std::uint64_t i = 0; i < senders; ++i)
      sending.emplace_back([this, i] { send_many(i); });
    for (std::uint64_t i = 0; i < 3; ++i)
      others.emplace_back([this, i] { replace_replicas(100 + i); });
    others.emplace_back([this] {
      for (std::uint32_t i = 0; !over; ++i) {
        auto limits = calls->limits();
        limits.max_ongoing = 1 + i % 7;
        calls->set_limits(limits);
        std::this_thread::yield();
      }
    });
    for (auto& thread : sending)
      thread.join();
    while (calls->queued() > 0)
      std::this_thread::yield();
    over = true;
    for (auto& thread : others)
      thread.join();
    calls->shut({errc::unavailable, {}});
    CHECK(counts.twice == 0);
    CHECK(counts.answered + counts.failed == senders * per_sender);
    CHECK(counts.answered > 0);
    CHECK(counts.failed > 0);
    CHECK(counts.alive == 0);
    CHECK(calls->ongoing() == 0);
    CHECK(calls->overdue() == 0);
  }
};

} // namespace

TEST_CASE("every request gets exactly one outcome and is begun at most once under a hammer") {
  hammer h{{.max_ongoing = 3}};
  h.run();
  CHECK(h.begun_again == 0);
}

TEST_CASE("idempotent requests get exactly one outcome under a hammer, though some begin again") {
  hammer h{{.max_ongoing = 3, .idempotent = true}};
  h.run();
  CHECK(h.begun_again > 0);
}

namespace {

/// Two senders against replicas with few slots; returns when all are answered. A lost wake-up ends in the test's time
/// limit.
void squeeze(std::uint32_t max_ongoing, std::uint64_t replicas, std::uint64_t each) {
  caf::actor_system_config config;
  caf::actor_system sys{config};
  auto calls = router::make(sys, {.name = "narrow", .limits = {.max_ongoing = max_ongoing}});
  std::vector<cell*> cells;
  for (std::uint64_t i = 0; i < replicas; ++i) {
    cells.push_back(&calls->acquire({i + 1, 0}));
    calls->open(*cells.back());
  }
  tally counts;
  constexpr std::uint64_t senders = 2;
  std::atomic<bool> over{false};
  std::vector<std::thread> threads, drains;
  for (std::uint64_t t = 0; t < senders; ++t)
    threads.emplace_back([&] {
      for (std::uint64_t i = 0; i < each; ++i) {
        router::submit(calls, call_ptr{new counted_call(i, counts), false}, nullptr);
        while (calls->queued() > 3)
          std::this_thread::yield();
      }
    });
  for (auto* c : cells)
    drains.emplace_back([&over, c] {
      while (!over) {
        if (auto call = c->next())
          answer(call);
        else
          std::this_thread::yield();
      }
    });
  for (auto& thread : threads)
    thread.join();
  while (counts.answered < senders * each)
    std::this_thread::yield();
  over = true;
  for (auto& thread : drains)
    thread.join();
  for (auto* c : cells)
    calls->release(*c);
  calls->shut({errc::unavailable, {}});
  CHECK(counts.answered == senders * each);
  CHECK(counts.twice == 0);
  CHECK(counts.alive == 0);
}

} // namespace

TEST_CASE("no wake-up is lost with one slot per replica") { squeeze(1, 3, 30'000); }

TEST_CASE("no wake-up is lost with one replica that is often just full") { squeeze(2, 1, 100'000); }
