// Code that worker processes run, as the daemon sees it: traits and what to launch.
#pragma once

#include <troupe/actors/replica/workers.hpp>
#include <troupe/app/secrets/secrets.hpp>
#include <troupe/app/worker/handover.hpp>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

namespace troupe::worker {

/// Replicas of one object share workers, those of different ones never do: each load of a revision is one.
class worker_code final : public replica::remote_code {
public:
  worker_code(replica::worker_source& workers, launch what, std::string deployment, code_traits traits,
              std::uint32_t replicas_per_worker, std::shared_ptr<const secrets::keeper> secrets)
      : workers_(workers), what_(std::move(what)), deployment_(std::move(deployment)), traits_(std::move(traits)),
        replicas_per_worker_(replicas_per_worker), secrets_(std::move(secrets)) {}

  const code_traits& traits() const noexcept override { return traits_; }
  std::unique_ptr<instance> construct(const json&) const override {
    throw std::logic_error(traits_.name + " runs in worker processes only");
  }
  replica::worker_source& workers() const noexcept override { return workers_; }
  const std::string& deployment() const noexcept override { return deployment_; }
  result<json_doc> delivered(const json_doc& user_config) const override {
    return secrets_ ? secrets_->delivered(user_config) : user_config;
  }
  std::string shown(std::string text) const override { return secrets_ ? secrets_->masked(std::move(text)) : text; }

  const launch& what() const noexcept { return what_; }
  std::uint32_t replicas_per_worker() const noexcept { return replicas_per_worker_; }

private:
  replica::worker_source& workers_;
  const launch what_;
  const std::string deployment_;
  const code_traits traits_;
  const std::uint32_t replicas_per_worker_;
  const std::shared_ptr<const secrets::keeper> secrets_;
};

} // namespace troupe::worker
