// For code in a process that has no routers of other deployments.
#pragma once

#include <troupe/app/library/peers.hpp>
#include <troupe/app/runtime/errors.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::worker {

class no_peers final : public peer_lookup {
public:
  explicit no_peers(std::string why) : why_(std::move(why)) {}
  std::shared_ptr<router> find(std::string_view name, const std::vector<signature_info>&) const override {
    throw command_failed{{errc::unknown_deployment, "no handle to " + std::string{name} + ": " + why_}};
  }

private:
  const std::string why_;
};

} // namespace troupe::worker
