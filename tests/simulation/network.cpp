#include "network.hpp"

#include <troupe/messages/node.hpp>
#include <troupe/messages/worker.hpp>

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/exit_reason.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/send.hpp>

#include <utility>

namespace troupe::simulation_tests {

/// Behind all that the proxy has got so far; what it holds is done when all proxies of its side have come so far.
struct proxy_mark {
  std::shared_ptr<void> done;
};

} // namespace troupe::simulation_tests

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::simulation_tests::proxy_mark)

namespace troupe::simulation_tests {

/// Passes on what it gets. Ends by an exit message.
class proxy final : public caf::event_based_actor {
public:
  proxy(caf::actor_config& cfg, std::shared_ptr<connection> over, side home, caf::strong_actor_ptr whom)
      : event_based_actor(cfg), over_(std::move(over)), home_(home), whom_(std::move(whom)) {
    set_default_handler([this](caf::scheduled_actor*, caf::message_view& x) -> caf::result<caf::message> {
      if (over_)
        over_->carry({.home = home_,
                      .from = current_sender(),
                      .to = whom_,
                      .urgent = current_mailbox_element()->mid.is_urgent_message(),
                      .what = x.move_content_to_message()});
      return caf::message{};
    });
    set_exit_handler([this](caf::exit_msg& x) { quit(std::move(x.reason)); });
  }
  const char* name() const override { return "troupe.simulated_proxy"; }
  void on_exit() override {
    over_ = nullptr;
    whom_ = nullptr;
  }

protected:
  caf::behavior make_behavior() override {
    return {[](const proxy_mark&) {}};
  }

private:
  std::shared_ptr<connection> over_;
  const side home_;
  caf::strong_actor_ptr whom_;
};

namespace {

side other(side x) { return x == side::listener ? side::dialer : side::listener; }

} // namespace

caf::strong_actor_ptr connection::proxy_of(side home, const caf::strong_actor_ptr& whom) {
  if (!whom)
    return nullptr;
  if (const auto it = originals_.find(whom->id()); it != originals_.end()) // it goes back to where it lives
    return it->second;
  auto& out = proxies_[static_cast<std::size_t>(home)][whom->id()];
  if (!out && !ended_) {
    out = caf::actor_cast<caf::strong_actor_ptr>(world_.system().spawn<proxy>(shared_from_this(), home, whom));
    originals_.emplace(out->id(), whom);
    whom->get()->attach_functor([over = weak_from_this(), home, id = whom->id()](const caf::error&) {
      if (const auto x = over.lock())
        x->note_end(home, id);
    });
  }
  return out;
}

void connection::note_end(side home, caf::actor_id gone) {
  if (ended_)
    return;
  if (frozen_) {
    held_.push_back({.home = home, .from = nullptr, .to = nullptr, .gone = gone});
    return;
  }
  const std::shared_ptr<void> done{nullptr, [over = weak_from_this(), home, gone](void*) {
                                     if (const auto x = over.lock())
                                       x->end_proxy(home, gone);
                                   }};
  for (const auto& [id, p] : proxies_[static_cast<std::size_t>(other(home))])
    caf::anon_send(caf::actor_cast<caf::actor>(p), proxy_mark{done});
}

void connection::end_proxy(side home, caf::actor_id of) {
  auto found = proxies_[static_cast<std::size_t>(home)].extract(of);
  if (!found)
    return;
  originals_.erase(found.mapped()->id());
  caf::anon_send_exit(caf::actor_cast<caf::actor>(found.mapped()), caf::exit_reason::normal);
}

void connection::carry(held x) {
  if (ended_)
    return;
  if (frozen_) {
    held_.push_back(std::move(x));
    return;
  }
  const auto priority = x.urgent ? caf::message_priority::high : caf::message_priority::normal;
  x.to->enqueue(caf::make_mailbox_element(proxy_of(other(x.home), x.from), caf::make_message_id(priority), {},
                                          translated(x.home, x.what)),
                nullptr);
}

void connection::thaw() {
  frozen_ = false;
  for (auto& x : std::exchange(held_, {})) {
    if (x.gone != 0)
      note_end(x.home, x.gone);
    else
      carry(std::move(x));
  }
}

void connection::end() {
  if (std::exchange(ended_, true))
    return;
  held_.clear();
  originals_.clear();
  for (auto& of_side : proxies_)
    for (auto& [id, p] : std::exchange(of_side, {}))
      caf::anon_send_exit(caf::actor_cast<caf::actor>(p), caf::exit_reason::remote_link_unreachable);
}

/// The actors that it names live where it comes from.
caf::message connection::translated(side home, const caf::message& what) {
  const auto from = other(home);
  caf::message out;
  const auto has = [&]<class Message, class Handle>(Handle Message::*member) {
    if (!what.match_elements<Message>())
      return false;
    auto x = what.get_as<Message>(0);
    x.*member = at_other_side(from, x.*member);
    out = caf::make_message(std::move(x));
    return true;
  };
  if (what.match_elements<worker_replica_made>()) {
    auto x = what.get_as<worker_replica_made>(0);
    x.replica = at_other_side(from, x.replica);
    x.port = at_other_side(from, x.port);
    return caf::make_message(std::move(x));
  }
  const bool names_one = has(&node_knock::agent) || has(&node_welcome::code) || has(&code_loaded::host) ||
                         has(&start_worker_replica::owner) || has(&open_port::caller) || has(&peer_knock::from) ||
                         has(&find_port::from) || has(&port_found::port);
  return names_one ? out : what;
}

} // namespace troupe::simulation_tests
