// One thread owns all workers; everybody else posts jobs to it.
#include <troupe/app/worker/offer.hpp>
#include <troupe/app/worker/pool.hpp>
#include <troupe/app/worker/pool_loop.hpp>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/io/middleman.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <map>
#include <stdexcept>

namespace troupe::worker {

namespace {

/// Where workers say hello, and who notices that one is not heard of any more.
class door final : public worker_door_actor::base {
public:
  door(caf::actor_config& cfg, std::shared_ptr<pool_loop> to) : worker_door_actor::base(cfg), to_(std::move(to)) {
    set_default_handler(caf::drop);
    set_down_handler([this](caf::down_msg& down) {
      const auto it = hosts_.find(down.source);
      if (it == hosts_.end())
        return;
      to_->post([loop = to_, number = it->second] { loop->silent(number); });
      hosts_.erase(it);
    });
  }
  const char* name() const override { return "troupe.worker_door"; }

protected:
  behavior_type make_behavior() override {
    return {[this](worker_hello& x) {
      if (!to_->knows_secret(x.worker, x.secret))
        return;
      monitor(x.host);
      hosts_[x.host->address()] = x.worker;
      to_->post([loop = to_, hello = std::move(x)]() mutable { loop->greet(std::move(hello)); });
    }};
  }

private:
  std::shared_ptr<pool_loop> to_;
  std::map<caf::actor_addr, std::uint64_t> hosts_;
};

class described_code final : public code {
public:
  explicit described_code(code_traits traits) : traits_(std::move(traits)) {}
  const code_traits& traits() const noexcept override { return traits_; }
  std::unique_ptr<instance> construct(const json&) const override {
    throw std::logic_error(traits_.name + " is only described, not loaded");
  }

private:
  const code_traits traits_;
};

} // namespace

class pool::loop {
public:
  loop(caf::actor_system& system, worker_pool_options given)
      : sys(system), work(std::make_shared<pool_loop>(std::move(given))) {
    caf::actor_config cfg;
    at = sys.spawn_class<door, caf::hidden>(cfg, work);
    work->start([this] { return open(); });
  }

  /// Of the pool's thread, with the first worker: no port is open where there are none.
  std::uint16_t open() {
    const auto port = sys.middleman().publish(at, 0, "127.0.0.1");
    if (!port)
      throw std::runtime_error("no port on the loopback interface for worker processes: " + sys.render(port.error()));
    return number = *port;
  }

  caf::actor_system& sys;
  std::shared_ptr<pool_loop> work;
  worker_door_actor at;
  std::uint16_t number = 0;
};

pool::pool(caf::actor_system& sys, worker_pool_options options)
    : secrets_(options.secrets), elsewhere_(options.elsewhere), loop_(std::make_shared<loop>(sys, std::move(options))) {
}

pool::~pool() { stop(); }

void pool::configure(caf::actor_system_config& config) {
  config.load<caf::io::middleman>();
  config.set("middleman.heartbeat-interval", caf::timespan{std::chrono::seconds{1}});
  config.set("middleman.connection-timeout", caf::timespan{std::chrono::seconds{5}});
}

result<library::application_code> pool::describe(launch what) {
  auto answer = std::make_shared<std::promise<result<json>>>();
  auto future = answer->get_future();
  loop_->work->post([w = loop_->work, answer = std::move(answer), what = std::move(what)]() mutable {
    w->describe(std::move(what), [answer](result<json> x) { answer->set_value(std::move(x)); });
  });
  const auto offer = [&]() -> result<json> {
    try {
      return future.get();
    } catch (const std::future_error&) { // nobody will answer
      return error{errc::runtime_stopped, "there are no worker processes any more"};
    }
  }();
  if (!offer)
    return offer.why();
  try {
    return offer_from(*offer, [](const std::string&, code_traits traits) {
      return std::make_shared<described_code>(std::move(traits));
    });
  } catch (const json::exception& e) {
    return error{errc::unavailable, std::string{"the worker's description is not understood: "} + e.what()};
  }
}

std::shared_ptr<const code> pool::code_for(launch what, const std::string& deployment, const code_traits& traits,
                                           std::uint32_t replicas_per_worker) {
  if (elsewhere_)
    return elsewhere_(what, deployment, traits);
  return std::make_shared<worker_code>(*this, std::move(what), deployment, traits, replicas_per_worker, secrets_);
}

void pool::attach(replica::worker_place place, std::shared_ptr<const replica::remote_code> what,
                  caf::strong_actor_ptr who) {
  loop_->work->post([w = loop_->work, place, what = std::static_pointer_cast<const worker_code>(std::move(what)),
                     who = std::move(who)]() mutable { w->attach(place, std::move(what), std::move(who)); });
}

void pool::detach(std::uint64_t place) {
  loop_->work->post([w = loop_->work, place] { w->detach(place); });
}

void pool::kill(std::uint64_t place, std::string why) {
  loop_->work->post([w = loop_->work, place, why = std::move(why)]() mutable { w->kill(place, std::move(why)); });
}

void pool::stop() {
  if (!loop_->at)
    return;
  loop_->work->stop();
  if (loop_->number != 0)
    loop_->sys.middleman().unpublish(loop_->at, loop_->number);
  caf::anon_send_exit(loop_->at, caf::exit_reason::user_shutdown);
  loop_->at = nullptr;
}

} // namespace troupe::worker
