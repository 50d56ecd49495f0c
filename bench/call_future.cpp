// What does a call from a plain thread cost? Against Asio's `post` with a future to a pool of as many threads.
#include "bare.hpp"
#include "deployed.hpp"
#include "machine.hpp"
#include "questions.hpp"

#include <boost/asio/packaged_task.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>

#include <future>
#include <string>
#include <vector>

namespace troupe::bench {

namespace {

struct job {
  unsigned open = 1;
  unsigned calls = 0;
};

/// Keeps `open` futures and waits for the oldest, then makes the next.
template <class Call>
double rate_of(const job& what, Call call) {
  std::vector<std::future<pong>> open(what.open);
  const auto run = [&](unsigned n) {
    std::uint64_t number = 0;
    for (auto& f : open)
      f = call(ping{++number});
    for (unsigned i = 0; i < n; ++i) {
      auto& oldest = open[i % what.open];
      oldest.get();
      oldest = call(ping{++number});
    }
    for (auto& f : open)
      f.get();
  };
  run(what.calls / 10);
  const auto start = steady::now();
  run(what.calls);
  return what.calls / seconds_since(start);
}

/// As many threads as CAF's scheduler has on this machine.
std::size_t scheduler_threads() {
  bare_system system{"sharing"};
  return system->scheduler().num_workers();
}

sample async(const job& what, const std::string& policy) {
  deployed servers{policy};
  servers.deploy<no_op>(deployed::options_for(1, "1").max_ongoing_requests(what.open));
  return {rate_of(what, [h = servers.calls()](ping x) { return h.async(x); })};
}

sample post_packaged_task(const job& what) {
  boost::asio::thread_pool pool{scheduler_threads()};
  const auto rate = rate_of(what, [&pool](ping x) {
    return boost::asio::post(pool, std::packaged_task<pong()>{[x] { return pong{x.number}; }});
  });
  pool.join();
  return {rate};
}

sample post_use_future(const job& what) {
  boost::asio::thread_pool pool{scheduler_threads()};
  const auto rate = rate_of(what, [&pool](ping x) {
    return boost::asio::post(pool, boost::asio::use_future([x] { return pong{x.number}; }));
  });
  pool.join();
  return {rate};
}

} // namespace

void add_call_future(suite& to) {
  for (const unsigned open : {1U, 64U}) {
    const auto full = open == 1 ? 60'000U : 400'000U;
    const job what{open, to.quick ? full / 30 : full};
    to.questions.push_back({.name = "call/future/" + std::to_string(open) + "-open",
                            .unit = "calls/s",
                            .how = comparison::rate_at_least,
                            .bound = 0.8,
                            .ours = {"async", [what, policy = to.policy] { return async(what, policy); }},
                            .references = {{"Asio post(packaged_task)", [what] { return post_packaged_task(what); }},
                                           {"Asio post(use_future)", [what] { return post_use_future(what); }}}});
  }
}

} // namespace troupe::bench
