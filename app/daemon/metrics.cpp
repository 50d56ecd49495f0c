// Builds prometheus-cpp's families from figures that are kept elsewhere.
#include <troupe/app/daemon/metrics.hpp>

#include <map>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <utility>
#include <vector>

namespace troupe::daemon {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using labels = std::vector<ClientMetric::Label>;

class families {
public:
  void add(const char* name, const char* help, MetricType type, const labels& l, double value) {
    ClientMetric m;
    m.label = l;
    if (type == MetricType::Counter)
      m.counter.value = value;
    else
      m.gauge.value = value;
    of(name, help, type).metric.push_back(std::move(m));
  }

  void add(const char* name, const char* help, const labels& l, ClientMetric::Histogram h) {
    ClientMetric m;
    m.label = l;
    m.histogram = std::move(h);
    of(name, help, MetricType::Histogram).metric.push_back(std::move(m));
  }

  std::string text() const {
    std::vector<MetricFamily> all;
    for (const auto& [name, f] : families_)
      all.push_back(f);
    return prometheus::TextSerializer{}.Serialize(all);
  }

private:
  MetricFamily& of(const char* name, const char* help, MetricType type) {
    auto& f = families_[name];
    f.name = name;
    f.help = help;
    f.type = type;
    return f;
  }
  std::map<std::string, MetricFamily> families_;
};

ClientMetric::Histogram histogram(const ingress::deployment_figures::of_outcome& x) {
  ClientMetric::Histogram h;
  h.sample_count = x.count;
  h.sample_sum = x.seconds;
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < ingress::bucket_bounds_ms.size(); ++i) {
    sum += x.latencies.at(i);
    h.bucket.push_back({sum, ingress::bucket_bounds_ms.at(i) / 1000.0});
  }
  return h;
}

void add_http(families& to, const ingress::figures& http) {
  for (const auto& [name, f] : http.deployments) {
    const labels l{{"application", name.application}, {"deployment", name.name}};
    to.add("troupe_http_requests_in_flight", "HTTP requests not answered yet.", MetricType::Gauge, l,
           static_cast<double>(f.in_flight));
    for (std::size_t i = 0; i < f.ended.size(); ++i) {
      auto with = l;
      with.push_back({"outcome", std::string(to_string(static_cast<ingress::outcome>(i)))});
      to.add("troupe_http_requests_total", "HTTP requests by deployment and outcome.", MetricType::Counter, with,
             static_cast<double>(f.ended.at(i).count));
      if (f.ended.at(i).count > 0)
        to.add("troupe_http_request_seconds", "From the request's end to its answer.", with, histogram(f.ended.at(i)));
    }
    for (const auto& [status, n] : f.statuses) {
      auto with = l;
      with.push_back({"status", std::to_string(status)});
      to.add("troupe_http_responses_total", "HTTP answers by status.", MetricType::Counter, with,
             static_cast<double>(n));
    }
  }
  to.add("troupe_http_requests_without_route_total", "HTTP requests that no route matched.", MetricType::Counter, {},
         static_cast<double>(http.not_found));
}

void add_deployment(families& to, const deployment_status& d) {
  const labels l{{"application", d.application}, {"deployment", d.name}};
  const auto gauge = [&](const char* name, const char* help, double value) {
    to.add(name, help, MetricType::Gauge, l, value);
  };
  gauge("troupe_replicas_wanted", "Target count.", d.num_replicas);
  gauge("troupe_replicas_available", "Replicas that serve.", d.available);
  gauge("troupe_replicas_waiting_for_room", "Replicas that wait for room.", d.waiting_for_room);
  gauge("troupe_replicas_given_up", "Replicas whose code still runs past all deadlines.", d.given_up);
  gauge("troupe_requests_queued", "Requests that wait for a replica.", static_cast<double>(d.queued));
  gauge("troupe_requests_ongoing", "Requests sent to replicas and not finished.", static_cast<double>(d.ongoing));
  gauge("troupe_requests_overdue", "Handlers that still run though the caller has its outcome.",
        static_cast<double>(d.overdue));
  for (int i = 0; i <= static_cast<int>(last_enumerator(deployment_state_name{})); ++i) {
    auto with = l;
    const auto state = static_cast<deployment_state_name>(i);
    with.push_back({"state", to_string(state)});
    to.add("troupe_deployment_state", "1 for the state that the deployment is in.", MetricType::Gauge, with,
           d.state == state ? 1 : 0);
  }
  for (int i = 0; i <= static_cast<int>(last_enumerator(rollout_phase{})); ++i) {
    auto with = l;
    const auto phase = static_cast<rollout_phase>(i);
    with.push_back({"phase", to_string(phase)});
    to.add("troupe_rollout_phase", "1 for the phase of the rollout.", MetricType::Gauge, with,
           d.rollout.phase == phase ? 1 : 0);
  }
  std::map<std::pair<std::string, std::uint64_t>, std::uint64_t> replicas;
  for (const auto& r : d.replicas)
    ++replicas[{to_string(r.state), r.revision}];
  for (const auto& [key, n] : replicas) {
    auto with = l;
    with.push_back({"state", key.first});
    with.push_back({"revision", std::to_string(key.second)});
    to.add("troupe_replicas", "Replicas by state and revision.", MetricType::Gauge, with, static_cast<double>(n));
  }
}

} // namespace

std::string metrics_text(const runtime& rt, const ingress::figures& http, const library::code_usage& code) {
  families all;
  add_http(all, http);
  for (const auto& a : rt.applications(true))
    for (const auto& d : a.deployments)
      add_deployment(all, d);
  for (const auto& n : rt.resources().nodes)
    for (const auto& x : n.total.amounts) {
      const auto value = [&](std::uint64_t amount) { return amount_to_json(x.name, amount).get<double>(); };
      const labels l{{"node", n.node}, {"resource", x.name}};
      all.add("troupe_resources_total", "What the node has; memory in bytes.", MetricType::Gauge, l, value(x.amount));
      all.add("troupe_resources_used", "What replicas hold of it.", MetricType::Gauge, l, value(n.used.of(x.name)));
    }
  all.add("troupe_code_copies", "Copies of user libraries that are loaded.", MetricType::Gauge, {},
          static_cast<double>(code.copies));
  all.add("troupe_code_bytes", "Their size.", MetricType::Gauge, {}, static_cast<double>(code.bytes));
  all.add("troupe_given_up", "Given up replicas of the process, removed deployments included.", MetricType::Gauge, {},
          rt.given_up());
  return all.text();
}

} // namespace troupe::daemon
