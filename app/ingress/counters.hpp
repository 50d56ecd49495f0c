// What an ingress counts per deployment: outcomes, statuses, latencies. Per thread, summed when it is read.
#pragma once

#include <troupe/app/http/counters.hpp>
#include <troupe/app/ingress/outcome.hpp>
#include <troupe/messages/control.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace troupe::ingress {

/// Upper bounds of the latency buckets in milliseconds (Ray Serve's); one more bucket is for what takes longer.
inline constexpr std::array<std::uint32_t, 19> bucket_bounds_ms = {
    1, 2, 5, 10, 20, 50, 100, 200, 300, 400, 500, 1000, 2000, 5000, 10000, 60000, 120000, 300000, 600000};
inline constexpr std::size_t buckets = bucket_bounds_ms.size() + 1;

/// Of one deployment on one I/O thread. Written by that thread, read by any.
struct deployment_counters {
  explicit deployment_counters(deployment_name n) : name(std::move(n)) {}

  struct of_outcome {
    http::tally microseconds;
    std::array<http::tally, buckets> latencies;
  };
  const deployment_name name;
  http::tally begun;
  std::array<of_outcome, outcomes> ended;
  std::array<http::tally, 600> statuses; ///< By status.

  void count(outcome how, std::uint16_t status, std::chrono::nanoseconds took) noexcept;
};

/// All deployments on one I/O thread; entries stay for ever, so that a call may count when its route is gone.
class thread_counters {
public:
  deployment_counters& of(const deployment_name& name);
  http::tally not_found;
  http::tally own; ///< Requests for /-/.

private:
  friend struct figures;
  friend class server;
  std::mutex mutex_; // for who adds and who lists
  std::map<deployment_name, std::unique_ptr<deployment_counters>> entries_;
};

/// A copy, for who looks.
struct deployment_figures {
  struct of_outcome {
    std::uint64_t count = 0;
    double seconds = 0; ///< Sum of the latencies.
    std::array<std::uint64_t, buckets>
        latencies{}; ///< Not cumulative; the last is for what took longer than all bounds.
  };
  std::uint64_t in_flight = 0;
  std::array<of_outcome, outcomes> ended;
  std::map<std::uint16_t, std::uint64_t> statuses;
};

struct figures {
  std::map<deployment_name, deployment_figures> deployments;
  std::uint64_t not_found = 0;
  std::uint64_t own = 0;
  http::figures http; ///< Connections, bytes, and errors that never reached a deployment.

  void add(thread_counters& x);
};

} // namespace troupe::ingress
