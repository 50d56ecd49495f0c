// Where other processes find the ports of this one.
#include <troupe/app/cluster/route_board.hpp>
#include <troupe/messages/node.hpp>

#include <utility>

namespace troupe::cluster {

namespace {

class door final : public control::control_actor<peer_door_actor> {
public:
  door(caf::actor_config& cfg, control::environment_ptr env, std::uint64_t incarnation,
       std::shared_ptr<const worker::port_table> ports)
      : control_actor(cfg, std::move(env)), incarnation_(incarnation), ports_(std::move(ports)) {}

  const char* name() const override { return "troupe.peer_door"; }
  void on_exit() override { ports_.reset(); }

protected:
  behavior_type make_behavior() override {
    return {
        [this](const peer_knock& m) {
          if (m.from)
            post(m.from, peer_here{node_wire_version, incarnation_});
        },
        [this](const find_port& m) {
          if (m.from)
            post(m.from, port_found{m.ask, ports_->find(m.port)});
        },
    };
  }

private:
  const std::uint64_t incarnation_;
  std::shared_ptr<const worker::port_table> ports_;
};

} // namespace

peer_door_actor spawn_peer_door(const control::environment_ptr& env, std::uint64_t incarnation,
                                std::shared_ptr<const worker::port_table> ports) {
  return control::spawn_control<door>(env, incarnation, std::move(ports));
}

} // namespace troupe::cluster
