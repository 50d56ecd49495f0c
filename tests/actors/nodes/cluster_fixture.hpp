// A machine of nodes whose timer fires when it should.
#pragma once

#include <troupe/actors/nodes/machine.hpp>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace troupe::nodes::test {

using namespace std::chrono_literals;
using state = node_state;

inline node_about about(const std::string& name, std::uint64_t incarnation = 1) {
  node_about x;
  x.name = name;
  x.incarnation = incarnation;
  x.host = "host-of-" + name;
  x.total.set(resource_name::cpus, 4 * resource_unit);
  return x;
}

/// A machine whose timer fires when it should.
struct cluster {
  explicit cluster(limits l = {}, wrong_rule wrong = wrong_rule::none) : under_test(l, wrong) {}

  const std::vector<any_effect>& step(const any_event& ev) {
    auto t = under_test.step(now, ev);
    refused = t.refused;
    last = std::move(t.effects);
    for (const auto& e : last)
      if (const auto* timer = std::get_if<effect::arm_timer>(&e))
        armed = *timer;
    return last;
  }
  void run_for(instant time) {
    const auto until = now + time;
    while (armed.at != instant{0} && armed.at <= until) {
      now = std::max(now, armed.at);
      const auto epoch = std::exchange(armed, {}).epoch;
      step(event::timer{epoch});
      seen.insert(seen.end(), last.begin(), last.end());
    }
    now = until;
  }
  /// Joins and settles; the id.
  std::uint64_t add(const std::string& name, std::uint64_t link, std::uint64_t incarnation = 1) {
    step(event::hello{link, about(name, incarnation)});
    const auto* in = find<effect::admit>();
    if (!in)
      return 0;
    const auto id = in->id;
    step(event::settled{id});
    return id;
  }
  template <class T>
  const T* find() const {
    return find_in<T>(last);
  }
  template <class T>
  static const T* find_in(const std::vector<any_effect>& all) {
    for (const auto& e : all)
      if (const auto* x = std::get_if<T>(&e))
        return x;
    return nullptr;
  }
  node_view view(const std::string& name) const {
    for (const auto& v : under_test.list())
      if (v.about.name == name)
        return v;
    return {};
  }

  machine under_test;
  instant now = 1000s;
  std::vector<any_effect> last;
  std::vector<any_effect> seen; ///< While time went by.
  error refused;
  effect::arm_timer armed;
};

} // namespace troupe::nodes::test
