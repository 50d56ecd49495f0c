// Reports as text.
#include <troupe/actors/controller/placement_request.hpp>

namespace troupe::controller {

namespace {

std::string misfit_text(const misfit_count& x) {
  const bool one = x.nodes == 1;
  switch (x.why) {
  case misfit::labels:
    return one ? "has other labels" : "have other labels";
  case misfit::too_small:
    return "too small (" + x.resource + ")";
  case misfit::cordoned:
    return "cordoned";
  case misfit::draining:
    return "draining";
  case misfit::suspect:
    return "suspect";
  case misfit::per_node:
    return "at max_replicas_per_node";
  case misfit::lacks:
    return (one ? "lacks " : "lack ") + x.resource;
  }
  return "unknown";
}

} // namespace

std::string to_string(const fit_report& x) {
  if (x.nodes == 0)
    return "no node has joined";
  auto text = std::to_string(x.fitting) + " of " + std::to_string(x.nodes);
  text += x.nodes == 1 ? " node" : " nodes";
  text += x.nodes == 1 || x.fitting == 1 ? " fits" : " fit";
  const char* before = ": ";
  for (const auto& m : x.misfits) {
    text += before + std::to_string(m.nodes) + ' ' + misfit_text(m);
    before = ", ";
  }
  return text;
}

} // namespace troupe::controller
