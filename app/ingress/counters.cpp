// Counts, and sums up.
#include <troupe/app/ingress/counters.hpp>

#include <algorithm>

namespace troupe::ingress {

void deployment_counters::count(outcome how, std::uint16_t status, std::chrono::nanoseconds took) noexcept {
  const auto us = static_cast<std::uint64_t>(std::max<std::int64_t>(took.count(), 0)) / 1000;
  std::size_t bucket = 0;
  while (bucket < bucket_bounds_ms.size() && us > std::uint64_t{1000} * bucket_bounds_ms[bucket])
    ++bucket;
  auto& at = ended[static_cast<std::size_t>(how)];
  at.microseconds.add(us);
  at.latencies[bucket].add();
  statuses[std::min<std::size_t>(status, statuses.size() - 1)].add();
}

deployment_counters& thread_counters::of(const deployment_name& name) {
  const std::lock_guard guard{mutex_};
  auto& at = entries_[name];
  if (!at)
    at = std::make_unique<deployment_counters>(name);
  return *at;
}

void figures::add(thread_counters& x) {
  not_found += x.not_found.value();
  own += x.own.value();
  const std::lock_guard guard{x.mutex_};
  for (const auto& [name, from] : x.entries_) {
    auto& to = deployments[name];
    std::uint64_t ended = 0;
    for (std::size_t i = 0; i < outcomes; ++i) {
      to.ended[i].seconds += static_cast<double>(from->ended[i].microseconds.value()) / 1e6;
      for (std::size_t k = 0; k < buckets; ++k) {
        const auto n = from->ended[i].latencies[k].value();
        to.ended[i].latencies[k] += n;
        to.ended[i].count += n;
        ended += n;
      }
    }
    to.in_flight += std::max(from->begun.value(), ended) - ended;
    for (std::size_t i = 0; i < from->statuses.size(); ++i)
      if (const auto n = from->statuses[i].value(); n > 0)
        to.statuses[static_cast<std::uint16_t>(i)] += n;
  }
}

} // namespace troupe::ingress
