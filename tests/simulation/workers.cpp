#include "workers.hpp"

#include <troupe/app/worker/worker_host.hpp>

#include <caf/actor_cast.hpp>
#include <caf/exit_reason.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <iterator>
#include <utility>

namespace troupe::simulation_tests {

using namespace std::chrono_literals;

namespace {

constexpr auto until_silence_is_noticed = 5s; // as of the pool's heartbeats

/// `inner`, which the daemon's side never calls.
class simulated_remote_code final : public replica::remote_code {
public:
  simulated_remote_code(replica::worker_source& source, std::shared_ptr<const code> inner, std::string name)
      : source_(source), inner_(std::move(inner)), name_(std::move(name)) {}
  const code_traits& traits() const noexcept override { return inner_->traits(); }
  std::unique_ptr<instance> construct(const json&) const override {
    throw std::logic_error("workers construct, nobody else");
  }
  replica::worker_source& workers() const noexcept override { return source_; }
  const std::string& deployment() const noexcept override { return name_; }
  const std::shared_ptr<const code>& inner() const noexcept { return inner_; }

private:
  replica::worker_source& source_;
  const std::shared_ptr<const code> inner_;
  const std::string name_;
};

/// A worker that has frozen: what it is told stays in its socket.
worker_host_actor::behavior_type frozen(worker_host_actor::pointer) {
  return {[](const start_worker_replica&) {},   [](const drop_worker_replica&) {},
          [](const abandon_worker_replica&) {}, [](end_worker) {},
          [](const orphan_replicas&) {},        [](drop_orphans) {}};
}

void tell(const caf::strong_actor_ptr& who, caf::message what) {
  who->enqueue(nullptr, caf::make_message_id(caf::message_priority::high), std::move(what), nullptr);
}

} // namespace

void simulated_workers::attach(testing::simulation& world) {
  world_ = &world;
  world.before_end = [this] {
    for (auto& [place, w] : workers_)
      end(w, place);
    workers_.clear();
    for (const auto& host : ended_)
      caf::anon_send_exit(host, caf::exit_reason::kill);
  };
  world.at_end = [this] {
    ended_.clear();
    world_ = nullptr;
  };
}

std::shared_ptr<const code> simulated_workers::code_for(std::shared_ptr<const code> inner, std::string name) {
  return std::make_shared<const simulated_remote_code>(*this, std::move(inner), std::move(name));
}

void simulated_workers::attach(replica::worker_place place, std::shared_ptr<const replica::remote_code> what,
                               caf::strong_actor_ptr who) {
  workers_.insert_or_assign(place.number, worker{std::move(what), std::move(who), {}});
  const auto late = chance_.up_to(faults_ && chance_.one_in(8) ? 30'000ms : 50ms) + 1ms;
  world_->post([this, n = place.number](caf::event_based_actor&) { come_up(n); }, 0, late);
}

void simulated_workers::come_up(std::uint64_t place) {
  const auto it = workers_.find(place);
  if (it == workers_.end())
    return;
  auto& w = it->second;
  if (faults_ && chance_.one_in(15))
    return lose(place, "worker process was killed: it did not say hello");
  if (faults_ && chance_.one_in(20)) {
    w.host = world_->system().spawn(frozen);
    world_->post([this, place](caf::event_based_actor&) { lose(place, "it does not answer any more"); }, 0,
                 until_silence_is_noticed);
  } else {
    library::application_code code;
    code.deployments.resize(1);
    code.deployments[0].defaults.name = w.what->deployment();
    code.deployments[0].user_code = static_cast<const simulated_remote_code&>(*w.what).inner();
    w.host = troupe::worker::spawn_worker_host(world_->environment(), std::move(code), nullptr);
  }
  tell(w.who, caf::make_message(replica::worker_assigned{place, w.host}));
}

void simulated_workers::crash_one() {
  if (workers_.empty())
    return;
  const auto it = std::next(workers_.begin(), chance_.below(static_cast<std::uint32_t>(workers_.size())));
  if (it->second.host)
    lose(it->first, "worker process was killed by signal 11");
}

void simulated_workers::lose(std::uint64_t place, const std::string& how) {
  auto node = workers_.extract(place);
  if (!node)
    return;
  auto& w = node.mapped();
  world_->trace().line(world_->now().time_since_epoch(),
                       [&] { return "worker of place " + std::to_string(place) + ": " + how; });
  tell(w.who, caf::make_message(replica::worker_lost{place, how, chance_.one_in(2)}));
  end(w, place);
}

void simulated_workers::detach(std::uint64_t place) {
  if (auto node = workers_.extract(place))
    end(node.mapped(), place);
}

void simulated_workers::kill(std::uint64_t place, std::string) { detach(place); }

void simulated_workers::end(worker& w, std::uint64_t place) {
  w.who = nullptr;
  if (!w.host)
    return;
  caf::anon_send<caf::message_priority::high>(w.host, drop_worker_replica{place});
  caf::anon_send<caf::message_priority::high>(w.host, end_worker{});
  ended_.push_back(std::move(w.host));
}

} // namespace troupe::simulation_tests
