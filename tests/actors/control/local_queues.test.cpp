// Jobs behind others that block.
#include <troupe/actors/control/local_queues.hpp>
#include <troupe/troupe.hpp>

#include <caf/ref_counted.hpp>
#include <caf/resumable.hpp>
#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <thread>
#include <vector>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

struct ping {};
struct pong {};

struct back {
  pong operator()(const ping&) { return {}; }
};

/// Holds up its thread until `back` has answered.
class front {
public:
  explicit front(handle<pong(ping)> next) : next_(std::move(next)) {}
  pong operator()(const ping&) { return next_.async(ping{}).get(); }

private:
  handle<pong(ping)> next_;
};

/// Lives as long as its test.
struct job final : caf::resumable {
  explicit job(std::function<void()> f) : what(std::move(f)) {}
  resume_result resume(caf::execution_unit*, std::size_t) override {
    what();
    return done;
  }
  void intrusive_ptr_add_ref_impl() override {}
  void intrusive_ptr_release_impl() override {}
  std::function<void()> what;
};

/// Two threads that only take jobs, without a CAF scheduler.
class pair_of_workers {
public:
  class worker {
  public:
    worker(pair_of_workers* parent, std::size_t id) : parent_(parent), id_(id) {}
    control::local_queues::worker_data& data() { return data_; }
    pair_of_workers* parent() { return parent_; }
    std::size_t id() const { return id_; }

  private:
    control::local_queues::worker_data data_{nullptr};
    pair_of_workers* parent_;
    std::size_t id_;
  };

  pair_of_workers() {
    for (auto& w : workers_)
      threads_.emplace_back([this, &w] {
        while (!ended_.load())
          policy_.dequeue(&w)->resume(nullptr, 1);
      });
  }
  ~pair_of_workers() {
    ended_ = true;
    job nothing{[] {}};
    for (std::size_t i = 0; i < workers_.size(); ++i)
      give(nothing);
    for (auto& t : threads_)
      t.join();
  }

  void give(job& x) { policy_.central_enqueue(this, &x); }
  void give_in_bulk(job& x) { control::local_queues::enqueue_all(*this, std::vector<caf::resumable*>{&x}); }
  /// Both asleep, and nobody looks by itself any more.
  bool come_to_rest() {
    const auto end = std::chrono::steady_clock::now() + 60s;
    while (std::chrono::steady_clock::now() < end) {
      {
        const std::lock_guard guard{data_.lock};
        if (data_.asleep.size() == workers_.size() && !data_.watcher)
          return true;
      }
      std::this_thread::yield();
    }
    return false;
  }

  control::local_queues::coordinator_data& data() { return data_; }
  std::size_t num_workers() const { return workers_.size(); }
  worker* worker_by_id(std::size_t i) { return &workers_[i]; }

private:
  control::local_queues policy_;
  control::local_queues::coordinator_data data_{nullptr};
  std::array<worker, 2> workers_{worker{this, 0}, worker{this, 1}};
  std::atomic<bool> ended_{false};
  std::vector<std::thread> threads_;
};

} // namespace

TEST_CASE("workers without jobs come to rest: none looks by itself") {
  pair_of_workers both;
  CHECK(both.come_to_rest());
  std::promise<void> done;
  job one{[&] { done.set_value(); }};
  both.give(one);
  REQUIRE(done.get_future().wait_for(60s) == std::future_status::ready);
  CHECK(both.come_to_rest());
}

TEST_CASE("a job given in bulk does not wait behind one that blocks while another worker sleeps") {
  pair_of_workers both;
  REQUIRE(both.come_to_rest());
  std::promise<void> begun, release, done;
  job blocks{[&] {
    begun.set_value();
    release.get_future().wait();
  }};
  job other{[&] { done.set_value(); }};
  both.give(blocks);
  begun.get_future().wait();
  both.give_in_bulk(other);
  CHECK(done.get_future().wait_for(60s) == std::future_status::ready);
  release.set_value();
}

TEST_CASE("two handlers that wait for a third on threads that have just woken do not wait for ever") {
  runtime rt{runtime_options{.scheduler_threads = 4}};
  rt.run<back>("back");
  rt.run<front>(deployment_options{"front"}.num_replicas(2).max_ongoing_requests(1),
                [&rt] { return std::make_unique<front>(rt.handle<pong(ping)>("back")); });
  REQUIRE(rt.wait_until_healthy("front", 60s));
  const auto h = rt.handle<pong(ping)>("front");
  for (int i = 0; i < 5000; ++i) {
    CAPTURE(i);
    // Ends a wait that would not end: the calls below have no time of their own.
    auto one = h.async(ping{}, {.timeout = 10s}), two = h.async(ping{}, {.timeout = 10s});
    REQUIRE_NOTHROW(one.get());
    REQUIRE_NOTHROW(two.get());
  }
}
