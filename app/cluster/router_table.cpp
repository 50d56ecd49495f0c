// The routers of a node's process by name.
#include <troupe/actors/router/maintenance.hpp>
#include <troupe/app/cluster/route_board.hpp>
#include <troupe/app/runtime/errors.hpp>

#include <caf/send.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace troupe::cluster {

namespace {

/// For the controller's first word on a deployment: user code asks for handles where it is constructed, which is tried
/// again.
constexpr std::chrono::seconds patience{5};

error ends() { return {errc::runtime_stopped, "this node ends"}; }

} // namespace

void router_table::open(route_board_actor board) {
  const std::lock_guard guard{mutex_};
  board_ = std::move(board);
}

router_table::entry& router_table::entry_of(const deployment_name& name) {
  auto& e = entries_[name];
  if (e.calls)
    return e;
  router_options options;
  options.name = name.full();
  options.seed = seed_;
  options.number = ++last_number_ & 0xff'ffffU;
  e.calls = router::make(system_, std::move(options));
  e.timeouts = spawn_maintenance(system_, e.calls);
  if (is_closed_)
    e.calls->shut(ends());
  else
    caf::anon_send(board_, board_router{name, e.calls});
  return e;
}

std::shared_ptr<router> router_table::of(const deployment_name& name) {
  const std::lock_guard guard{mutex_};
  return entry_of(name).calls;
}

std::shared_ptr<router> router_table::of(const deployment_name& name, const std::vector<signature_info>& wanted) {
  std::unique_lock guard{mutex_};
  entry_of(name);
  const auto is_known = [&] { return is_closed_ || entries_.at(name).is_known; };
  if (!told_.wait_for(guard, patience, is_known))
    throw command_failed{{errc::unavailable, "no handle to " + name.full() + ": no controller says where it is"}};
  const auto& e = entries_.at(name);
  if (is_closed_)
    throw command_failed{ends()};
  if (!e.exists)
    throw command_failed{{errc::unknown_deployment, "there is no deployment " + name.full()}};
  for (const auto& w : wanted)
    if (std::find(e.signatures.begin(), e.signatures.end(), w.key) == e.signatures.end())
      throw command_failed{{errc::signature_mismatch, name.full() + " has no call operator " + w.name}};
  return e.calls;
}

void router_table::expect(const deployment_name& name) {
  std::unique_lock guard{mutex_};
  entry_of(name);
  told_.wait_for(guard, patience, [&] { return is_closed_ || entries_.at(name).is_known; });
}

void router_table::heard(const deployment_name& name, bool exists, std::vector<std::uint64_t> signatures) {
  {
    const std::lock_guard guard{mutex_};
    auto& e = entry_of(name);
    e.is_known = true;
    e.exists = exists;
    e.signatures = std::move(signatures);
  }
  told_.notify_all();
}

void router_table::close() {
  std::vector<std::shared_ptr<router>> all;
  {
    const std::lock_guard guard{mutex_};
    is_closed_ = true;
    board_ = nullptr;
    for (auto& [name, e] : entries_) {
      all.push_back(e.calls);
      caf::anon_send_exit(e.timeouts, caf::exit_reason::user_shutdown);
    }
  }
  told_.notify_all();
  for (auto& calls : all)
    calls->shut(ends());
}

std::shared_ptr<router> node_peers::find(std::string_view name, const std::vector<signature_info>& wanted) const {
  const auto slash = name.find('/');
  const auto whole = slash != std::string_view::npos;
  return routers_->of(
      {whole ? std::string{name.substr(0, slash)} : application_, std::string{whole ? name.substr(slash + 1) : name}},
      wanted);
}

} // namespace troupe::cluster
