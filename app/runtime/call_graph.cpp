// Circles first (Tarjan's strongly connected components), then the longest way from a deployment that nobody calls.
#include <troupe/app/runtime/call_graph.hpp>

#include <algorithm>
#include <cstddef>
#include <mutex>

namespace troupe {

namespace {

using graph = std::vector<std::vector<std::size_t>>; // callees by number

/// Numbers of components by node; a component has a higher number than those that it calls.
class components {
public:
  explicit components(const graph& g) : graph_(g), visits_(g.size()), of_(g.size(), none) {
    for (std::size_t i = 0; i < g.size(); ++i)
      if (visits_[i].at == 0)
        visit(i);
  }
  const std::vector<std::size_t>& of() const noexcept { return of_; }
  std::size_t count() const noexcept { return count_; }

private:
  static constexpr auto none = static_cast<std::size_t>(-1);
  struct seen {
    std::size_t at = 0, lowest = 0; // from 1 in the order of the visits
  };

  void visit(std::size_t i) { // NOLINT(misc-no-recursion): as deep as calls go
    visits_[i].at = visits_[i].lowest = ++time_;
    open_.push_back(i);
    for (const auto to : graph_[i]) {
      if (visits_[to].at == 0) {
        visit(to);
        visits_[i].lowest = std::min(visits_[i].lowest, visits_[to].lowest);
      } else if (of_[to] == none) {
        visits_[i].lowest = std::min(visits_[i].lowest, visits_[to].at);
      }
    }
    if (visits_[i].lowest != visits_[i].at)
      return;
    for (std::size_t last = none; last != i; open_.pop_back()) {
      last = open_.back();
      of_[last] = count_;
    }
    ++count_;
  }

  const graph& graph_;
  std::vector<seen> visits_;
  std::vector<std::size_t> of_, open_;
  std::size_t time_ = 0, count_ = 0;
};

} // namespace

void call_graph::add(const deployment_name& caller, const deployment_name& callee) {
  {
    const std::shared_lock guard{mutex_};
    const auto it = callees_.find(caller);
    if (it != callees_.end() && it->second.contains(callee))
      return;
  }
  const std::unique_lock guard{mutex_};
  callees_[caller].insert(callee);
}

std::vector<std::vector<deployment_name>> call_graph::stop_order(const std::vector<deployment_name>& names) const {
  std::map<deployment_name, std::size_t> numbers;
  for (std::size_t i = 0; i < names.size(); ++i)
    numbers.emplace(names[i], i);
  graph calls(names.size());
  {
    const std::shared_lock guard{mutex_};
    for (const auto& [caller, callees] : callees_)
      if (const auto from = numbers.find(caller); from != numbers.end())
        for (const auto& callee : callees)
          if (const auto to = numbers.find(callee); to != numbers.end())
            calls[from->second].push_back(to->second);
  }
  const components found{calls};
  std::vector<std::vector<std::size_t>> members(found.count());
  for (std::size_t i = 0; i < names.size(); ++i)
    members[found.of()[i]].push_back(i);
  std::vector<std::size_t> level(found.count());
  std::vector<std::vector<deployment_name>> groups;
  for (auto c = found.count(); c-- > 0;) { // who calls it has been seen
    groups.resize(std::max(groups.size(), level[c] + 1));
    for (const auto i : members[c]) {
      groups[level[c]].push_back(names[i]);
      for (const auto to : calls[i])
        if (const auto other = found.of()[to]; other != c)
          level[other] = std::max(level[other], level[c] + 1);
    }
  }
  return groups;
}

} // namespace troupe
