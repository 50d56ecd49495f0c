// Numbers, durations and shares in JSON and back.
#include <troupe/messages/spec_fields.hpp>

#include <cmath>
#include <limits>

namespace troupe::spec_fields {

std::optional<std::int64_t> to_integer(const json& value) {
  if (value.is_number_unsigned()) {
    const auto x = value.get<std::uint64_t>();
    if (x > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
      return std::nullopt;
    return static_cast<std::int64_t>(x);
  }
  if (value.is_number_integer())
    return value.get<std::int64_t>();
  constexpr double exact = 9007199254740992.0; // 2^53
  if (value.is_number_float())
    if (const auto x = value.get<double>(); std::isfinite(x) && std::trunc(x) == x && std::abs(x) <= exact)
      return static_cast<std::int64_t>(x);
  return std::nullopt;
}

std::optional<double> to_seconds(const json& value) {
  constexpr auto most = static_cast<double>(std::chrono::duration_cast<std::chrono::seconds>(max_duration).count());
  if (!value.is_number())
    return std::nullopt;
  const auto x = value.get<double>();
  if (!(x >= 0 && x <= most))
    return std::nullopt;
  return x;
}

std::optional<std::uint32_t> digits_to_number(std::string_view text) {
  if (text.empty() || text.size() > 3)
    return std::nullopt;
  std::uint32_t result = 0;
  for (const char c : text) {
    if (c < '0' || c > '9')
      return std::nullopt;
    result = result * 10 + static_cast<std::uint32_t>(c - '0');
  }
  return result;
}

std::optional<replica_share> to_share(const json& value) {
  if (value.is_string()) {
    std::string_view text = value.get_ref<const std::string&>();
    if (text.empty() || text.back() != '%')
      return std::nullopt;
    text.remove_suffix(1);
    if (const auto p = digits_to_number(text); p && *p >= 1 && *p <= 100)
      return replica_share::percent(*p);
    return std::nullopt;
  }
  if (const auto n = to_integer(value); n && *n >= 1 && *n <= std::int64_t{max_num_replicas})
    return replica_share::count(static_cast<std::uint32_t>(*n));
  return std::nullopt;
}

bool is_amount(std::uint64_t amount, const amount_rule& rule) {
  return amount <= rule.max && (!rule.whole_above_one || amount <= resource_unit || amount % resource_unit == 0);
}

std::optional<std::uint64_t> to_amount(const json& value, const amount_rule& rule) {
  std::optional<std::uint64_t> amount;
  if (rule.resource == resource_name::memory) {
    if (const auto bytes = to_integer(value); bytes && *bytes >= 0)
      amount = static_cast<std::uint64_t>(*bytes);
  } else if (value.is_number()) {
    amount = to_units(value.get<double>());
  }
  return amount && is_amount(*amount, rule) ? amount : std::nullopt;
}

std::vector<resource_amount> custom_of(const resources& x) {
  std::vector<resource_amount> own;
  for (const auto& a : x.amounts)
    if (a.name != resource_name::cpus && a.name != resource_name::gpus && a.name != resource_name::memory)
      own.push_back(a);
  return own;
}

json duration_to_json(milliseconds x) {
  if (x.count() % 1000 == 0)
    return x.count() / 1000;
  return static_cast<double>(x.count()) / 1000.0;
}

json share_to_json(replica_share x) {
  if (x.is_percent)
    return std::to_string(x.value) + "%";
  return x.value;
}

} // namespace troupe::spec_fields
