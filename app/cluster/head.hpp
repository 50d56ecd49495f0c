// The controller's end of a cluster: the port that nodes join by, the code that they run, what operators do with them.
#pragma once

#include <troupe/actors/nodes/places.hpp>
#include <troupe/app/cluster/bundle.hpp>
#include <troupe/app/cluster/node_operator.hpp>
#include <troupe/app/library/store.hpp>
#include <troupe/app/runtime/runtime.hpp>
#include <troupe/app/secrets/secrets.hpp>
#include <troupe/app/storage/database.hpp>
#include <troupe/app/worker/handover.hpp>
#include <troupe/messages/routes.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace troupe::cluster {

struct head_options {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;                 ///< 0 = any free one.
  std::shared_ptr<const identity> self{}; ///< Null: no TLS, no proofs; for loopback.
  std::string release{};                  ///< Of this program.
  storage::database* db = nullptr;        ///< What outlives the process; null: nothing does. Outlives the head.
  const library::store* files = nullptr;  ///< What nodes get code from. Outlives the head.
  std::shared_ptr<const secrets::keeper> secrets{};
  nodes::limits bounds = nodes::door_boot{}.bounds;
};

/// Thread-safe but for its end. The runtime has `on_nodes`, and its system `configure`d networks (transport.hpp).
class head final : public node_operator {
public:
  /// Nodes can join when it returns. Throws `std::runtime_error` when the port cannot be opened.
  head(runtime& rt, head_options options);
  ~head() override; ///< Closes.
  head(const head&) = delete;
  head& operator=(const head&) = delete;

  std::uint16_t port() const noexcept { return port_; }
  /// One more load of a stored library, for one of its deployments.
  std::shared_ptr<const code> code_for(const worker::launch& what, const std::string& deployment,
                                       const code_traits& traits);
  /// What nodes that take HTTP route; empty: they answer that there is nothing.
  void set_routes(node_routes routes);
  /// Ends what it has on the runtime's control thread: before the runtime's end is complete (`on_drained`). Idempotent.
  void close();

  result<std::vector<node_line>> list() const override;
  result<bool> cordon(const std::string& name, bool on) override;
  result<bool> drain(const std::string& name) override;
  result<bool> remove(const std::string& name, bool force) override;

private:
  result<bool> operate(nodes::any_event what);
  void persist(const nodes::known_node& what, std::uint64_t last_id);

  runtime& rt_;
  const head_options options_;
  const std::shared_ptr<nodes::node_places> places_ = std::make_shared<nodes::node_places>();
  nodes::door_actor door_;
  code_source_actor source_;
  std::uint16_t port_ = 0;
  std::atomic<std::uint64_t> last_code_{0};
  std::atomic<bool> closed_{false};
};

} // namespace troupe::cluster
