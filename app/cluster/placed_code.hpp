// Code that a cluster's nodes run, as the controller's process sees it.
#pragma once

#include <troupe/actors/nodes/places.hpp>
#include <troupe/app/secrets/secrets.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace troupe::cluster {

/// Nodes forget it with its last reference.
class placed_code final : public nodes::node_code {
public:
  /// `what.code` is a number of its own.
  placed_code(std::shared_ptr<nodes::node_places> places, load_code what, std::string deployment, code_traits traits,
              std::shared_ptr<const secrets::keeper> secrets)
      : places_(std::move(places)), what_(std::move(what)), deployment_(std::move(deployment)),
        traits_(std::move(traits)), secrets_(std::move(secrets)), likeness_(nodes::likeness_of(what_)) {}
  placed_code(const placed_code&) = delete;
  placed_code& operator=(const placed_code&) = delete;
  ~placed_code() override { places_->forget(what_.code); }

  const code_traits& traits() const noexcept override { return traits_; }
  std::unique_ptr<instance> construct(const json&) const override {
    throw std::logic_error(traits_.name + " runs on nodes only");
  }
  replica::worker_source& workers() const noexcept override { return *places_; }
  const std::string& deployment() const noexcept override { return deployment_; }
  const load_code& what() const noexcept override { return what_; }
  std::uint64_t likeness() const noexcept override { return likeness_; }
  result<json_doc> delivered(const json_doc& user_config) const override {
    return secrets_ ? secrets_->delivered(user_config) : user_config;
  }
  std::string shown(std::string text) const override { return secrets_ ? secrets_->masked(std::move(text)) : text; }

private:
  const std::shared_ptr<nodes::node_places> places_;
  const load_code what_;
  const std::string deployment_;
  const code_traits traits_;
  const std::shared_ptr<const secrets::keeper> secrets_;
  const std::uint64_t likeness_;
};

} // namespace troupe::cluster
