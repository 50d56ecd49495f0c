// Calls whose outcome a test can see, and a few user classes.
#pragma once

#include <troupe/actors/router/call.hpp>

#include <functional>
#include <string>
#include <utility>

namespace troupe::replica_test {

struct ping {
  int value = 0;
};
struct pong {
  int value = 0;
};
struct lookup {};
struct entry {};

/// Counts its outcomes and tells the last one: "pong 3" or the error's code.
template <class Signature>
class test_call final : public typed_call<Signature> {
public:
  explicit test_call(request_of<Signature> request, std::function<void()> on_done = {})
      : typed_call<Signature>(std::move(request)), on_done_(std::move(on_done)) {}

  int outcomes() const { return outcomes_.load(); }
  /// Precondition: outcomes() == 1.
  std::string text() {
    auto& x = this->outcome();
    if (!x.ok())
      return to_string(x.why());
    if constexpr (requires { x->value; })
      return "pong " + std::to_string(x->value);
    else
      return "entry";
  }

private:
  void deliver() noexcept override {
    ++outcomes_;
    if (on_done_)
      on_done_();
  }

  std::atomic<int> outcomes_{0};
  std::function<void()> on_done_;
};

using ping_call = test_call<pong(ping)>;

} // namespace troupe::replica_test
