// Arithmetic of amounts: merges of two lists that are sorted by name.
#include <troupe/messages/resources.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace troupe {

namespace {

constexpr auto most_amount = std::numeric_limits<std::uint64_t>::max();

auto place_of(const std::vector<resource_amount>& amounts, std::string_view name) {
  return std::lower_bound(amounts.begin(), amounts.end(), name,
                          [](const resource_amount& x, std::string_view n) { return x.name < n; });
}

std::uint64_t product(std::uint64_t a, std::uint64_t b) { return b != 0 && a > most_amount / b ? most_amount : a * b; }

} // namespace

std::uint64_t resources::of(std::string_view name) const {
  const auto it = place_of(amounts, name);
  return it == amounts.end() || it->name != name ? 0 : it->amount;
}

resources& resources::set(std::string_view name, std::uint64_t amount) {
  const auto place = place_of(amounts, name);
  const auto it = amounts.begin() + (place - amounts.cbegin());
  const bool known = it != amounts.end() && it->name == name;
  if (known && amount == 0)
    amounts.erase(it);
  else if (known)
    it->amount = amount;
  else if (amount != 0)
    amounts.insert(it, {std::string(name), amount});
  return *this;
}

bool fits(const resources& what, const resources& from) { return !first_lacking(what, from); }

std::uint32_t times_in(const resources& what, const resources& from, std::uint32_t most) {
  std::uint64_t times = most;
  for (const auto& x : what.amounts)
    times = std::min(times, from.of(x.name) / x.amount);
  return static_cast<std::uint32_t>(times);
}

void add(resources& to, const resources& what, std::uint64_t count) {
  for (const auto& x : what.amounts) {
    const auto now = to.of(x.name);
    const auto more = product(x.amount, count);
    to.set(x.name, more > most_amount - now ? most_amount : now + more);
  }
}

void take(resources& from, const resources& what, std::uint64_t count) {
  for (const auto& x : what.amounts) {
    const auto now = from.of(x.name);
    from.set(x.name, now - std::min(now, product(x.amount, count)));
  }
}

resources at_most(const resources& a, const resources& b) {
  resources least;
  for (const auto& x : a.amounts)
    least.set(x.name, std::min(x.amount, b.of(x.name)));
  return least;
}

std::optional<resource_amount> first_lacking(const resources& what, const resources& from) {
  for (const auto& x : what.amounts)
    if (from.of(x.name) < x.amount)
      return x;
  return std::nullopt;
}

std::optional<std::uint64_t> to_units(double x) {
  constexpr double most = 1e12;
  if (!(x >= 0 && x <= most))
    return std::nullopt;
  const auto scaled = x * static_cast<double>(resource_unit);
  const auto whole = std::round(scaled);
  // 0.1 is not exact in binary: x and its product are each off by half of a last bit, 2^-53 of the amount, while a
  // fifth decimal is off by a tenth. At 10^9 that is 0.009 of a unit, so that both can be told apart.
  constexpr auto last_bits = 4 * std::numeric_limits<double>::epsilon();
  if (std::abs(scaled - whole) > last_bits * std::max(1.0, scaled))
    return std::nullopt;
  return static_cast<std::uint64_t>(whole);
}

json amount_to_json(std::string_view name, std::uint64_t amount) {
  if (name == resource_name::memory)
    return amount;
  if (amount % resource_unit == 0)
    return amount / resource_unit;
  return static_cast<double>(amount) / static_cast<double>(resource_unit);
}

std::string amount_text(std::string_view name, std::uint64_t amount) {
  if (name != resource_name::memory)
    return amount_to_json(name, amount).dump();
  constexpr std::array<std::string_view, 5> suffixes{"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t i = 0;
  while (i + 1 < suffixes.size() && amount != 0 && amount % 1024 == 0) {
    amount /= 1024;
    ++i;
  }
  return std::to_string(amount).append(suffixes.at(i));
}

json to_json(const resources& x) {
  json own = json::object();
  for (const auto& a : x.amounts)
    if (a.name != resource_name::cpus && a.name != resource_name::gpus && a.name != resource_name::memory)
      own[a.name] = amount_to_json(a.name, a.amount);
  json out{{"resources", std::move(own)}};
  for (const auto name : {resource_name::cpus, resource_name::gpus, resource_name::memory})
    out[std::string(name)] = amount_to_json(name, x.of(name));
  return out;
}

std::string to_string(const resources& x) {
  std::string out;
  for (const auto& a : x.amounts)
    out += (out.empty() ? "" : ", ") + amount_text(a.name, a.amount) + ' ' + a.name;
  return out.empty() ? "nothing" : out;
}

bool is_custom_resource(std::string_view name) {
  constexpr std::array<std::string_view, 7> taken{
      resource_name::cpus,   resource_name::gpus, resource_name::memory, "CPU", "GPU",
      "object_store_memory", "max_replicas"};
  const auto may_stand = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view{"_-.:/"}.find(c) != std::string_view::npos;
  };
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), may_stand) &&
         std::find(taken.begin(), taken.end(), name) == taken.end();
}

} // namespace troupe
