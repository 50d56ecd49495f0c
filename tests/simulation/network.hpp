// Connections between simulated machines: every actor that a message names is, on the other side, a proxy that belongs
// to the connection, as in CAF's network layer.
#pragma once

#include <troupe/testing/simulation.hpp>

#include <caf/actor_cast.hpp>
#include <caf/actor_control_block.hpp>
#include <caf/message.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

namespace troupe::simulation_tests {

/// Of a connection: who listens there, and who has dialed.
enum class side : std::uint8_t { listener, dialer };

/// One connection. Between two actors messages stay in order and are not lost while it lasts; those of different actors
/// overtake each other. With its end the proxies end, as of a node that cannot be reached, and what is under way is
/// lost. An actor's end takes its proxy along, behind all that was sent from its side before. Confined to its
/// simulation.
class connection : public std::enable_shared_from_this<connection> {
public:
  explicit connection(testing::simulation& world) : world_(world) {}
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  /// Stands for an actor that lives at `home`, on the other side. Null for null.
  template <class Handle>
  Handle at_other_side(side home, const Handle& whom) {
    return caf::actor_cast<Handle>(proxy_of(home, caf::actor_cast<caf::strong_actor_ptr>(whom)));
  }
  /// Nothing arrives any more, on neither side; with `thaw` all does.
  void freeze() { frozen_ = true; }
  void thaw();
  void end();
  bool frozen() const noexcept { return frozen_; }
  bool ended() const noexcept { return ended_; }

private:
  friend class proxy;
  struct held {
    side home;
    caf::strong_actor_ptr from;
    caf::strong_actor_ptr to;
    bool urgent = false;
    caf::message what{};
    caf::actor_id gone = 0; ///< Not a message: this one has ended.
  };

  caf::strong_actor_ptr proxy_of(side home, const caf::strong_actor_ptr& whom);
  /// To `to`, which lives at `home`.
  void carry(held x);
  caf::message translated(side home, const caf::message& what);
  /// An actor that lives at `home` has ended.
  void note_end(side home, caf::actor_id gone);
  void end_proxy(side home, caf::actor_id of);

  testing::simulation& world_;
  bool frozen_ = false;
  bool ended_ = false;
  std::map<caf::actor_id, caf::strong_actor_ptr> proxies_[2]; ///< By the side where the actor lives.
  std::map<caf::actor_id, caf::strong_actor_ptr> originals_;  ///< By the id of the proxy.
  std::vector<held> held_;
};

} // namespace troupe::simulation_tests
