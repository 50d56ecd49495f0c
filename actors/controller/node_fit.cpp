// Reasons and ranks.
#include <troupe/actors/controller/node_fit.hpp>

#include <algorithm>
#include <bit>
#include <limits>
#include <string>

namespace troupe::controller {

namespace {

// As an index counts them. Each resource of the request has two.
constexpr std::uint32_t other_labels = 1;
constexpr std::uint32_t first_state = 2; // cordoned, draining, suspect
constexpr std::uint32_t full_per_node = 5;
constexpr std::uint32_t first_resource = 6;

std::uint32_t too_small_in(std::size_t resource) { return first_resource + 2 * static_cast<std::uint32_t>(resource); }
std::uint32_t lacking_of(std::size_t resource) { return too_small_in(resource) + 1; }

std::uint32_t reason_of_state(node_state x) {
  switch (x) {
  case node_state::ready:
    return no_misfit;
  case node_state::cordoned:
    return first_state;
  case node_state::draining:
    return first_state + 1;
  case node_state::suspect:
    return first_state + 2;
  }
  return no_misfit;
}

std::uint32_t capped(std::uint64_t x) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(x, std::numeric_limits<std::uint32_t>::max()));
}

constexpr std::uint32_t whole = 1'000'000'000;

} // namespace

std::size_t reasons_of(const placement_request& what) { return first_resource + 2 * what.each.amounts.size(); }

// 2^34 * 10^9 < 2^64. 8 TiB are 2^43 bytes, 44 bits wide: counted in 2^10 bytes.
std::uint32_t free_share(std::uint64_t free, std::uint64_t total) {
  const auto width = std::bit_width(total);
  const auto shift = width > 34 ? width - 34 : 0;
  const auto of = total >> shift;
  return of == 0 ? 0 : static_cast<std::uint32_t>((free >> shift) * whole / of);
}

lasting_fit judge_lasting(const placement_request& what, const node_room& node) {
  if (node.id == 0)
    return {};
  const auto fails = [&](const label_rule& r) { return !r.holds_for(node.labels); };
  lasting_fit result{no_misfit, 0};
  result.unmatched = static_cast<std::uint32_t>(std::count_if(what.preferred.begin(), what.preferred.end(), fails));
  const auto& each = what.each.amounts;
  const auto large =
      std::find_if(each.begin(), each.end(), [&](const auto& a) { return node.total.of(a.name) < a.amount; });
  if (std::any_of(what.required.begin(), what.required.end(), fails))
    result.reason = other_labels;
  else if (large != each.end())
    result.reason = too_small_in(static_cast<std::size_t>(large - each.begin()));
  return result;
}

fit_verdict judge(const placement_request& what, const node_room& node, const lasting_fit& lasting,
                  std::uint32_t held) {
  const auto misfit = [](std::uint32_t reason) { return fit_verdict{{}, reason}; };
  if (lasting.reason != no_misfit)
    return misfit(lasting.reason);
  if (node.state != node_state::ready)
    return misfit(reason_of_state(node.state));
  if (what.max_replicas_per_node > 0 && held >= what.max_replicas_per_node)
    return misfit(full_per_node);
  auto share = whole;
  for (std::size_t i = 0; i < what.each.amounts.size(); ++i) {
    const auto& a = what.each.amounts[i];
    const auto free = node.free.of(a.name);
    if (free < a.amount)
      return misfit(lacking_of(i));
    share = std::min(share, free_share(free, node.total.of(a.name)));
  }
  const auto all = capped(node.replicas);
  if (what.strategy == placement_strategy::pack)
    return {{lasting.unmatched, share, ~all, 0, node.id}, no_misfit};
  return {{lasting.unmatched, held, whole - share, all, node.id}, no_misfit};
}

// Labels, size and state come before the bound per node, what is free comes after it.
fit_verdict with_held(const placement_request& what, const fit_verdict& none_held, std::uint32_t held) {
  auto result = none_held;
  const bool waits = none_held.reason >= first_resource && (none_held.reason - first_resource) % 2 == 1;
  if (what.max_replicas_per_node > 0 && held >= what.max_replicas_per_node && (none_held.reason == no_misfit || waits))
    return {{}, full_per_node};
  if (result.rank.fits() && what.strategy == placement_strategy::spread)
    result.rank.first = held;
  return result;
}

fit_report report_of(const std::vector<std::uint32_t>& counts, const placement_request& what) {
  fit_report report;
  for (const auto n : counts)
    report.nodes += n;
  report.fitting = counts[no_misfit];
  const auto tell = [&](misfit why, std::uint32_t reason, const std::string& resource = {}) {
    if (counts[reason] > 0)
      report.misfits.push_back({why, resource, counts[reason]});
  };
  const auto& each = what.each.amounts;
  tell(misfit::labels, other_labels);
  for (std::size_t i = 0; i < each.size(); ++i)
    tell(misfit::too_small, too_small_in(i), each[i].name);
  tell(misfit::cordoned, reason_of_state(node_state::cordoned));
  tell(misfit::draining, reason_of_state(node_state::draining));
  tell(misfit::suspect, reason_of_state(node_state::suspect));
  tell(misfit::per_node, full_per_node);
  for (std::size_t i = 0; i < each.size(); ++i)
    tell(misfit::lacks, lacking_of(i), each[i].name);
  return report;
}

} // namespace troupe::controller
