#include "remote_calls.hpp"

#include "bare.hpp"
#include "library/number.hpp"
#include "questions.hpp"

#include <boost/asio.hpp>
#include <caf/io/middleman.hpp>
#include <caf/send.hpp>

#include <array>
#include <cstdint>
#include <future>
#include <iostream>
#include <stdexcept>

namespace troupe::bench {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

/// Keeps `window` calls open; sets the rate of those after the warm-up. `ask(self, number)` sends one.
template <class Answer, class Ask>
class remote_client final : public caf::event_based_actor {
public:
  remote_client(caf::actor_config& cfg, calls_of what, Ask ask, std::promise<double>& rate)
      : caf::event_based_actor(cfg), what_(what), ask_(std::move(ask)), rate_(rate) {}

  caf::behavior make_behavior() override {
    return {[this](begin_calls) {
      for (unsigned i = 0; i < what_.window; ++i)
        call();
    }};
  }

private:
  void call() {
    if (sent_ == what_.warm_up + what_.calls)
      return;
    ask_(this, ++sent_)
        .then(
            [this](const Answer&) {
              if (++answered_ == what_.warm_up)
                start_ = steady::now();
              if (answered_ < what_.warm_up + what_.calls)
                return call();
              rate_.set_value(what_.calls / seconds_since(start_));
              quit();
            },
            [this](const caf::error& e) {
              if (!failed_)
                rate_.set_exception(std::make_exception_ptr(std::runtime_error{system().render(e)}));
              failed_ = true;
              quit();
            });
  }

  calls_of what_;
  Ask ask_;
  std::promise<double>& rate_;
  std::uint64_t sent_ = 0;
  std::uint64_t answered_ = 0;
  bool failed_ = false;
  steady::time_point start_;
};

template <class Answer, class Ask>
sample rate_of(caf::actor_system& system, calls_of what, Ask ask) {
  std::promise<double> rate;
  auto result = rate.get_future();
  caf::anon_send(system.spawn<remote_client<Answer, Ask>>(what, std::move(ask), rate), begin_calls{});
  return {result.get()};
}

} // namespace

calls_of calls_of_window(unsigned window, bool quick) {
  const unsigned calls = (quick ? 2'000U : 60'000U) * (window == 1 ? 1 : 5);
  return {window, calls / 10, calls};
}

sample call_outside(calls_of what, const std::string& policy, outside::where replicas) {
  outside all{policy, replicas};
  if (replicas == outside::where::nodes)
    all.add_node("n1");
  all.deploy("echo", what.window);
  auto to = all.runtime().handle<number(number)>("echo");
  return rate_of<number>(all.system(), what, [to](caf::event_based_actor* self, std::uint64_t x) mutable {
    return to.request(self, number{x});
  });
}

void set_remote(caf::actor_system_config& config, const std::string& policy) {
  set_policy(config, policy);
  config.load<caf::io::middleman>();
}

std::vector<std::string> bare_actor_program(const std::string& policy) {
  return {"/proc/self/exe", "--serve", "caf", "--policy", policy, "--force"};
}

sample call_bare_remote(calls_of what, const std::string& policy) {
  child server{bare_actor_program(policy), -1};
  const auto port = static_cast<std::uint16_t>(std::stoi(server.line()));
  caf::actor_system_config config;
  set_remote(config, policy);
  caf::actor_system system{config};
  auto to = system.middleman().remote_actor("127.0.0.1", port);
  if (!to)
    throw std::runtime_error(system.render(to.error()));
  return rate_of<std::uint64_t>(system, what, [to = std::move(*to)](caf::event_based_actor* self, std::uint64_t x) {
    return self->request(to, caf::infinite, x);
  });
}

void serve_bare_actor(const std::string& policy) {
  caf::actor_system_config config;
  set_remote(config, policy);
  caf::actor_system system{config};
  const auto echo = system.spawn([]() -> caf::behavior { return {[](std::uint64_t x) { return x; }}; });
  const auto port = system.middleman().publish(echo, 0, "127.0.0.1");
  if (!port)
    throw std::runtime_error(system.render(port.error()));
  std::cout << *port << std::endl;
  while (std::cin.get() != std::char_traits<char>::eof()) {
  }
  caf::anon_send_exit(echo, caf::exit_reason::user_shutdown);
}

sample call_tcp(calls_of what) {
  child server{{"/proc/self/exe", "--serve", "tcp", "--force"}, -1};
  asio::io_context io;
  tcp::socket to{io};
  to.connect({asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(std::stoi(server.line()))});
  to.set_option(tcp::no_delay(true));
  steady::time_point start;
  for (std::uint64_t i = 0; i < what.warm_up + what.calls; ++i) {
    if (i == what.warm_up)
      start = steady::now();
    std::array x{i};
    asio::write(to, asio::buffer(x));
    asio::read(to, asio::buffer(x));
  }
  return {what.calls / seconds_since(start)};
}

void serve_tcp() {
  asio::io_context io;
  tcp::acceptor door{io, {asio::ip::address_v4::loopback(), 0}};
  std::cout << door.local_endpoint().port() << std::endl;
  auto from = door.accept();
  from.set_option(tcp::no_delay(true));
  std::array<std::uint64_t, 1> x{};
  boost::system::error_code ended;
  while (asio::read(from, asio::buffer(x), ended) == sizeof x)
    asio::write(from, asio::buffer(x));
}

void add_remote_calls(suite& to, const std::string& name, outside::where replicas) {
  const auto policy = to.policy;
  for (const unsigned window : {1U, 64U, 1000U}) {
    const auto what = calls_of_window(window, to.quick);
    to.questions.push_back(
        {.name = name + short_number(window),
         .unit = "calls/s",
         .how = comparison::rate_at_least,
         .bound = 0.85,
         .ours = {"handle", [=] { return call_outside(what, policy, replicas); }},
         .references = both_settings("remote request", policy, [what](auto s) { return call_bare_remote(what, s); })});
  }
}

} // namespace troupe::bench
