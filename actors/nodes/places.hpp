// Gives replicas their places on nodes.
#pragma once

#include <troupe/actors/nodes/door_actor.hpp>

#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace troupe::nodes {

/// `open` is to be called before the first replica starts; thread-safe after that. Holds the door until `shut`; from
/// then on nothing is sent.
class node_places final : public replica::worker_source {
public:
  void open(const door_actor& door) { set(caf::actor_cast<caf::strong_actor_ptr>(door)); }
  void shut() { set(nullptr); }

  void attach(replica::worker_place place, std::shared_ptr<const replica::remote_code> what,
              caf::strong_actor_ptr who) override {
    send(attach_place{std::move(place), std::static_pointer_cast<const node_code>(std::move(what)), std::move(who)});
  }
  void detach(std::uint64_t place) override { send(detach_place{place, false}); }
  /// Code on a node shares its process: what runs there cannot be ended, only left.
  void kill(std::uint64_t place, std::string) override { send(detach_place{place, true}); }
  void forget(std::uint64_t code) { send(code_gone{code}); }

private:
  template <class T>
  void send(T what) {
    const std::lock_guard guard{mutex_}; // a start or an end of a replica, not a request
    if (door_)
      door_->enqueue(
          caf::make_mailbox_element(nullptr, caf::make_message_id(caf::message_priority::high), {}, std::move(what)),
          nullptr);
  }
  void set(caf::strong_actor_ptr door) {
    const std::lock_guard guard{mutex_};
    door_ = std::move(door);
  }

  std::mutex mutex_;
  caf::strong_actor_ptr door_;
};

} // namespace troupe::nodes
