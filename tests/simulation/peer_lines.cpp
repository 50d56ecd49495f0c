// What is between the machines of a simulated cluster: connections from routers in one to ports in others.
#include "nodes.hpp"

#include <algorithm>
#include <utility>

namespace troupe::simulation_tests {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

bool simulated_nodes::reaches(std::size_t i, std::size_t k) const {
  const auto now = world_->now();
  const auto apart = apart_until_.find(std::minmax(i, k));
  return now >= machines_[i].alone_until && now >= machines_[k].alone_until &&
         (apart == apart_until_.end() || now >= apart->second);
}

result<peer_door_actor> simulated_nodes::dial_peer(std::size_t i, std::uint64_t start, const peer_address& whom) {
  const auto found =
      std::find_if(machines_.begin(), machines_.end(), [&](const auto& m) { return m.name == whom.host; });
  const auto k = static_cast<std::size_t>(found - machines_.begin());
  // A process that has taken the place of another one may listen at the same port.
  if (!runs(i, start) || found == machines_.end() || !found->agent || !reaches(i, k) ||
      (found->incarnation != whom.incarnation && distance_.one_in(2)))
    return error{errc::unavailable, "nobody answers there"};
  note(machines_[i].name + " is connected to " + found->name);
  std::erase_if(peer_lines_, [](const auto& x) { return x.over->ended(); });
  const auto& line = peer_lines_.emplace_back(peer_line{i, k, std::make_shared<connection>(*world_)});
  return line.over->at_other_side(side::listener, found->door);
}

void simulated_nodes::end_peer_lines(std::size_t i) {
  for (auto& x : peer_lines_)
    if (x.from == i || x.to == i)
      x.over->end();
  if (on_peers_cut)
    on_peers_cut();
}

void simulated_nodes::freeze_peer_lines(std::size_t i, std::optional<std::size_t> only, milliseconds how_long) {
  for (auto& x : peer_lines_) {
    if ((x.from != i && x.to != i) || (only && x.from != *only && x.to != *only))
      continue;
    x.over->freeze();
    later(how_long, [of = std::weak_ptr{x.over}] {
      if (const auto line = of.lock())
        line->thaw();
    });
  }
}

void simulated_nodes::break_between_peers() {
  if (machines() < 2)
    return;
  const auto i = distance_.below(machines());
  const auto k = (i + 1 + distance_.below(machines() - 1)) % machines();
  const auto how_long = distance_.up_to(8'000ms) + 1ms;
  apart_until_[std::minmax<std::size_t>(i, k)] = world_->now() + how_long;
  if (distance_.one_in(2)) {
    note(machines_[i].name + " and " + machines_[k].name + " hear nothing of each other");
    return freeze_peer_lines(i, k, how_long);
  }
  note(machines_[i].name + " and " + machines_[k].name + " are cut off from each other");
  for (auto& x : peer_lines_)
    if ((x.from == i && x.to == k) || (x.from == k && x.to == i))
      x.over->end();
  if (on_peers_cut)
    on_peers_cut();
}

void simulated_nodes::stutter() {
  std::vector<std::shared_ptr<connection>> lines;
  for (const auto& m : machines_)
    if (m.line)
      lines.push_back(m.line);
  for (const auto& x : peer_lines_)
    lines.push_back(x.over);
  if (lines.empty())
    return;
  const auto& line = lines[distance_.below(static_cast<std::uint32_t>(lines.size()))];
  const auto how_long = distance_.up_to(50ms) + 1ms;
  if (line->ended() || line->frozen())
    return;
  line->freeze();
  later(how_long, [of = std::weak_ptr{line}] {
    if (const auto x = of.lock())
      x->thaw();
  });
}

} // namespace troupe::simulation_tests
