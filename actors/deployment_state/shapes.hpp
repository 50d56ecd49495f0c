// What the parts of the machine that count room by shape share.
#pragma once

#include <troupe/actors/deployment_state/release.hpp>
#include <troupe/messages/control.hpp>

#include <algorithm>
#include <string_view>
#include <vector>

namespace troupe::deployment_state {

/// As the placement calls the bound on replicas (controller/placement.hpp).
inline constexpr std::string_view bound_on_replicas = "max_replicas";

/// Of this shape; a new one of 0 where there is none.
inline shape_claim& claim_of(std::vector<shape_claim>& all, const shape_ref& each) {
  const auto it = std::find_if(all.begin(), all.end(), [&](const shape_claim& s) { return shape_in(s) == each; });
  return it != all.end() ? *it : all.emplace_back(shape_claim{each.each, 0, each.where});
}

} // namespace troupe::deployment_state
