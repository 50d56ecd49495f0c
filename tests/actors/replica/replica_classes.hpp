// User classes that write down what happens to them, and the fixture whose replicas they are.
#pragma once

#include "replica_fixture.hpp"

#include <deque>
#include <stdexcept>

namespace troupe::replica_test {

/// What one user class did, seen from outside.
struct diary {
  int constructed = 0;
  int destroyed = 0;
  int handled = 0;
  int checks = 0;
  std::vector<int> configs;
  std::deque<promise<pong>> promises;
};

/// Answers with value + config; throws at negative values; with `later` it keeps its promises in the diary.
class echo {
public:
  explicit echo(diary* d) : diary_(d) { ++diary_->constructed; }
  echo(const echo&) = delete;
  ~echo() { ++diary_->destroyed; }

  pong operator()(ping x) {
    ++diary_->handled;
    if (x.value < 0)
      throw std::runtime_error("negative");
    return {x.value + config_};
  }
  void reconfigure(const json& config) {
    if (!config.is_number())
      throw std::runtime_error("no number");
    config_ = config.get<int>();
    diary_->configs.push_back(config_);
  }
  void check_health() {
    ++diary_->checks;
    if (config_ == 13)
      throw std::runtime_error("unlucky");
  }

private:
  diary* diary_;
  int config_ = 0;
};

class later : public echo {
public:
  using echo::echo;
  explicit later(diary* d) : echo(d), diary_(d) {}
  using calls = signatures<pong(ping)>;
  void operator()(const ping& x, promise<pong> p) {
    ++diary_->handled;
    if (x.value == -1)
      throw std::runtime_error("with the promise in hand");
    if (x.value == -2)
      return; // drops it
    if (x.value == 100)
      p.answer({100});
    else
      diary_->promises.push_back(std::move(p));
    if (x.value == -3)
      throw std::runtime_error("with the promise stored");
  }

private:
  diary* diary_;
};

template <class T>
std::shared_ptr<const code> code_of(diary& d) {
  return make_code<T>([p = &d] { return std::make_unique<T>(p); });
}

struct bare {
  pong operator()(ping x) { return {x.value}; }
};

struct fails {
  fails() { throw std::runtime_error("no disk"); }
  pong operator()(ping) { return {}; }
};

struct bad_end {
  ~bad_end() noexcept(false) { throw std::runtime_error("cannot flush"); }
  pong operator()(ping) { return {}; }
};

class hook : public control::user_code_hook {
public:
  answer before(control::user_code_kind kind, const replica_ref&, const std::string& deployment) override {
    asked.push_back(to_string(kind) + " of " + deployment);
    return next;
  }
  answer next;
  std::vector<std::string> asked;
};

/// The diaries outlive the replicas.
struct diaries {
  diary& note() { return written.emplace_back(); }
  std::deque<diary> written;
};
struct fixture : diaries, replica_fixture {};

} // namespace troupe::replica_test
