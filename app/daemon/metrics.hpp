// What Prometheus scrapes.
#pragma once

#include <troupe/app/ingress/counters.hpp>
#include <troupe/app/library/loader.hpp>
#include <troupe/app/runtime/runtime.hpp>

#include <string>

namespace troupe::daemon {

/// In Prometheus's text format 0.0.4. Asks the runtime, so it blocks for a moment; cost grows with the number of
/// replicas.
std::string metrics_text(const runtime& rt, const ingress::figures& http, const library::code_usage& code);

} // namespace troupe::daemon
