// Nodes of a cluster without one: keeps what it is asked, and answers as the controller does.
#pragma once

#include <troupe/app/cluster/node_operator.hpp>

#include <algorithm>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe::test {

/// Thread-safe, as those are that it stands for.
class fake_nodes : public cluster::node_operator {
public:
  using line = cluster::node_line;

  explicit fake_nodes(std::vector<line> lines) : lines_(std::move(lines)) {}

  result<std::vector<line>> list() const override {
    const std::lock_guard guard{mutex_};
    return failure_ ? result<std::vector<line>>{*failure_} : lines_;
  }
  result<bool> cordon(const std::string& name, bool on) override {
    return change((on ? "cordon " : "uncordon ") + name, name, [&](line& x) {
      x.cordoned = on;
      x.drained = on && x.drained;
    });
  }
  result<bool> drain(const std::string& name) override {
    return change("drain " + name, name, [](line& x) {
      x.drained = true;
      x.state = "DRAINING";
    });
  }
  result<bool> remove(const std::string& name, bool force) override {
    const std::lock_guard guard{mutex_};
    asked_.push_back((force ? "remove by force " : "remove ") + name);
    const auto it = at(name);
    if (it == lines_.end())
      return unknown();
    if (!it->empty && !force)
      return error{errc::rejected, "node " + name + " may have replicas"};
    lines_.erase(it);
    return true;
  }

  void fail_with(std::optional<error> why) {
    const std::lock_guard guard{mutex_};
    failure_ = std::move(why);
  }
  /// The name is known still, but not listed.
  void forget(const std::string& name) {
    const std::lock_guard guard{mutex_};
    lines_.erase(at(name));
    away_.push_back(name);
  }
  std::vector<std::string> asked() const {
    const std::lock_guard guard{mutex_};
    return asked_;
  }

private:
  std::vector<line>::iterator at(const std::string& name) {
    return std::find_if(lines_.begin(), lines_.end(), [&](const line& x) { return x.name == name; });
  }
  error unknown() const { return {errc::invalid_spec, "no such node; there are " + std::to_string(lines_.size())}; }

  template <class Change>
  result<bool> change(std::string what, const std::string& name, Change apply) {
    const std::lock_guard guard{mutex_};
    asked_.push_back(std::move(what));
    if (failure_)
      return *failure_;
    if (const auto it = at(name); it != lines_.end())
      apply(*it);
    else if (std::find(away_.begin(), away_.end(), name) == away_.end())
      return unknown();
    return true;
  }

  mutable std::mutex mutex_;
  std::vector<line> lines_;
  std::vector<std::string> away_, asked_;
  std::optional<error> failure_;
};

/// With labels, resources and three replicas.
inline cluster::node_line node_called(const std::string& name) {
  cluster::node_line x;
  x.name = name;
  x.state = "READY";
  x.host = "10.0.0.7";
  x.release = "1.2.3";
  x.labels = {{"zone", "a"}};
  x.total = resources{}.set("num_cpus", 80'000).set("memory", std::uint64_t{8} << 30U).set("licence", 10'000);
  x.used = resources{}.set("num_cpus", 15'000).set("memory", 1000);
  x.replicas = 3;
  x.since = std::chrono::milliseconds{1500};
  x.silence = std::chrono::milliseconds{300};
  return x;
}

} // namespace troupe::test
