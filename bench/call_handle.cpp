// What does a call through a handle cost? Against CAF's request to a bare actor, from an actor that keeps 64 open.
#include "bare.hpp"
#include "deployed.hpp"
#include "machine.hpp"
#include "questions.hpp"

#include <caf/send.hpp>

#include <cstdint>
#include <future>
#include <stdexcept>
#include <string>

namespace troupe::bench {

namespace {

constexpr unsigned window = 64;
constexpr auto long_timeout = std::chrono::seconds{60}; // never due, but kept

struct job {
  unsigned targets = 1;
  bool timeout = false;
  unsigned warm_up = 0;
  unsigned calls = 0;
};

/// Counts answers: the first `warm_up` are not measured.
class meter {
public:
  meter(job what, std::promise<double>& rate) : what_(what), rate_(rate) {}

  bool may_send() noexcept { return sent_ < what_.warm_up + what_.calls && ++sent_ > 0; }
  std::uint64_t sent() const noexcept { return sent_; }

  /// True with the last one.
  bool answered() {
    ++answered_;
    if (answered_ == what_.warm_up)
      start_ = steady::now();
    if (answered_ < what_.warm_up + what_.calls)
      return false;
    rate_.set_value(what_.calls / seconds_since(start_));
    return true;
  }
  void failed(const std::string& why) { rate_.set_exception(std::make_exception_ptr(std::runtime_error{why})); }

private:
  job what_;
  std::promise<double>& rate_;
  unsigned sent_ = 0;
  unsigned answered_ = 0;
  steady::time_point start_;
};

/// Few targets in turn; many at random, as a router chooses them.
class picker {
public:
  explicit picker(std::size_t n) : n_(static_cast<std::uint32_t>(n)) {}
  std::size_t operator()() noexcept {
    if (n_ <= 64)
      return next_ = next_ + 1 < n_ ? next_ + 1 : 0;
    state_ ^= state_ << 13;
    state_ ^= state_ >> 17;
    state_ ^= state_ << 5;
    return (std::uint64_t{state_} * n_) >> 32;
  }

private:
  std::uint32_t n_;
  std::uint32_t next_ = 0;
  std::uint32_t state_ = 2463534242;
};

/// Keeps `window` calls open. `Self::ask(request, on_answer, on_error)` sends one.
template <class Self>
class client : public caf::event_based_actor {
protected:
  client(caf::actor_config& cfg, job what, std::promise<double>& rate)
      : caf::event_based_actor(cfg), meter_(what, rate) {}

  caf::behavior make_behavior() override {
    return {[this](begin_calls) {
      for (unsigned i = 0; i < window; ++i)
        call();
    }};
  }

private:
  void call() {
    if (!meter_.may_send())
      return;
    static_cast<Self*>(this)->ask(
        ping{meter_.sent()},
        [this](const pong&) {
          if (meter_.answered())
            quit();
          else
            call();
        },
        [this](const caf::error& e) {
          meter_.failed(system().render(e));
          quit();
        });
  }

  meter meter_;
};

class bare_client final : public client<bare_client> {
public:
  bare_client(caf::actor_config& cfg, const std::vector<caf::actor>& targets, job what, std::promise<double>& rate)
      : client(cfg, what, rate), targets_(targets), pick_(targets.size()),
        timeout_(what.timeout ? caf::duration{long_timeout} : caf::duration{caf::infinite}) {}

  template <class OnAnswer, class OnError>
  void ask(ping what, OnAnswer on_answer, OnError on_error) {
    request(targets_[pick_()], timeout_, what).then(on_answer, on_error);
  }

private:
  const std::vector<caf::actor>& targets_;
  picker pick_;
  caf::duration timeout_;
};

class our_client final : public client<our_client> {
public:
  our_client(caf::actor_config& cfg, handle<pong(ping)> to, job what, std::promise<double>& rate)
      : client(cfg, what, rate), to_(std::move(to)) {
    if (what.timeout)
      options_.timeout = long_timeout;
  }

  template <class OnAnswer, class OnError>
  void ask(ping what, OnAnswer on_answer, OnError on_error) {
    to_.request(this, what, options_).then(on_answer, on_error);
  }

private:
  handle<pong(ping)> to_;
  call_options options_;
};

sample call_ours(const job& what, const std::string& policy) {
  deployed servers{policy};
  servers.deploy<no_op>(deployed::options_for(what.targets, "1").max_ongoing_requests(window));
  std::promise<double> rate;
  auto result = rate.get_future();
  caf::anon_send(servers.system().spawn<our_client>(servers.calls(), what, rate), begin_calls{});
  return {result.get()};
}

sample call_bare(const job& what, const std::string& policy) {
  bare_system system{policy};
  std::promise<double> rate;
  auto result = rate.get_future();
  const bare_population servers{*system, what.targets};
  const auto client = system->spawn<bare_client>(servers.actors(), what, rate);
  caf::anon_send(client, begin_calls{});
  return {result.get()};
}

std::string name_of_line(const job& what) {
  return std::string{"call/handle"} + (what.timeout ? "-timeout/" : "/") + short_number(what.targets);
}

} // namespace

void add_call_handle(suite& to) {
  const auto calls = to.quick ? 20'000U : 600'000U;
  const auto add = [&](unsigned targets, bool timeout) {
    const job what{targets, timeout, calls / 10, calls};
    to.questions.push_back(
        {.name = name_of_line(what),
         .unit = "calls/s",
         .how = comparison::rate_at_least,
         .bound = targets <= 16 ? 0.9 : 0,
         .ours = {"handle", [what, policy = to.policy] { return call_ours(what, policy); }},
         .references = both_settings("request", to.policy, [what](auto s) { return call_bare(what, s); })});
  };
  for (const bool timeout : {false, true}) {
    add(1, timeout);
    add(16, timeout);
    for (const auto n : to.sizes())
      add(n, timeout);
    const auto [small, large] = to.growth_sizes();
    const auto what = std::string{"call/handle"} + (timeout ? "-timeout/" : "/");
    to.growths.push_back(
        {"growth/" + what.substr(0, what.size() - 1), what + short_number(small), what + short_number(large)});
  }
}

} // namespace troupe::bench
