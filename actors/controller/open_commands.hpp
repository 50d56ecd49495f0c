// The commands that an actor has taken and must still answer: CAF 0.17 breaks no promise that its owner takes along.
#pragma once

#include <troupe/messages/error.hpp>

#include <caf/response_promise.hpp>

#include <cstdint>
#include <map>
#include <utility>

namespace troupe::controller {

/// Confined to its actor, which calls `fail_all` before it ends (a promise keeps its actor alive).
class open_commands {
public:
  /// Returns the number under which the answer is given.
  std::uint64_t keep(caf::response_promise promise) {
    open_.emplace(++last_, std::move(promise));
    return last_;
  }

  /// With a value or a caf::error. The first answer counts.
  template <class Answer>
  void settle(std::uint64_t number, Answer answer) {
    if (auto node = open_.extract(number))
      node.mapped().deliver(std::move(answer));
  }

  void fail_all(const error& why) {
    for (auto& [number, promise] : std::exchange(open_, {}))
      promise.deliver(to_caf(why));
  }

private:
  std::map<std::uint64_t, caf::response_promise> open_;
  std::uint64_t last_ = 0;
};

} // namespace troupe::controller
