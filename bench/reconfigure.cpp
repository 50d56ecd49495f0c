// What does it cost to reconfigure all replicas at once? Against one-way questions and answers by credit.
#include "bare.hpp"
#include "deployed.hpp"
#include "machine.hpp"
#include "questions.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <future>
#include <string>
#include <vector>

namespace troupe::bench {

namespace {

constexpr unsigned credit = 1000; // questions without an answer

/// At least 3, as a single one shows what else the machine did meanwhile.
unsigned repeats(unsigned n) { return std::max(3U, 100'000 / n); }

/// Asks each target once.
class asker : public caf::event_based_actor {
public:
  asker(caf::actor_config& cfg, const std::vector<caf::actor>& targets, std::promise<double>& milliseconds)
      : caf::event_based_actor(cfg), targets_(targets), milliseconds_(milliseconds) {}

protected:
  caf::behavior make_behavior() override {
    return {[this](begin_calls) {
              start_ = steady::now();
              for (unsigned i = 0; i < credit; ++i)
                ask();
            },
            [this](const pong&) {
              if (++answered_ == targets_.size()) {
                milliseconds_.set_value(seconds_since(start_) * 1e3);
                quit();
              } else {
                ask();
              }
            }};
  }

private:
  void ask() {
    if (asked_ < targets_.size()) {
      send(targets_[asked_], ping{asked_});
      ++asked_;
    }
  }

  const std::vector<caf::actor>& targets_;
  std::promise<double>& milliseconds_;
  std::size_t asked_ = 0;
  std::size_t answered_ = 0;
  steady::time_point start_;
};

sample ask_all(unsigned n, const std::string& policy) {
  bare_system system{policy};
  const bare_population targets{*system, n};
  const auto once = [&]() -> sample {
    std::promise<double> done;
    auto result = done.get_future();
    caf::anon_send(system->spawn<asker>(targets.actors(), done), begin_calls{});
    return {result.get()};
  };
  once(); // warms up
  return median_of(repeats(n), once);
}

sample reconfigure_all(unsigned n, const std::string& policy) {
  deployed all{policy};
  auto options = deployed::options_for(n, "1").reconfigure_wave(replica_share::percent(100));
  int number = 0;
  const auto once = [&]() -> sample {
    const auto start = steady::now();
    all.deploy<configurable>(options.user_config({{"number", ++number}}));
    return {seconds_since(start) * 1e3};
  };
  once(); // starts them
  once(); // warms up
  return median_of(repeats(n), once);
}

} // namespace

void add_reconfigure(suite& to) {
  for (const auto n : to.sizes())
    to.questions.push_back({.name = "reconfigure/" + short_number(n),
                            .unit = "ms",
                            .how = comparison::cost_at_most,
                            .bound = 2,
                            .ours = {"config_update", [n, policy = to.policy] { return reconfigure_all(n, policy); }},
                            .references = both_settings("one-way", to.policy, [n](auto s) { return ask_all(n, s); })});
  const auto [small, large] = to.growth_sizes();
  to.growths.push_back(
      {"growth/reconfigure", "reconfigure/" + short_number(small), "reconfigure/" + short_number(large)});
}

} // namespace troupe::bench
