// Grammars without a locale: what is a letter must not depend on the machine.
#include <troupe/app/cluster/names.hpp>

#include <algorithm>
#include <arpa/inet.h>
#include <string>

namespace troupe::cluster {

namespace {

constexpr std::size_t longest_name = 64;
constexpr std::size_t longest_host = 253;
constexpr std::size_t longest_label = 63;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alphanumeric(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool is_label(std::string_view x) {
  return !x.empty() && x.size() <= longest_label && x.front() != '-' && x.back() != '-' &&
         std::all_of(x.begin(), x.end(), [](char c) { return is_alphanumeric(c) || c == '-' || c == '_'; });
}

} // namespace

std::string_view to_string(role x) {
  switch (x) {
  case role::controller:
    return "controller";
  case role::node:
    return "node";
  case role::client:
    return "client";
  }
  return "unknown";
}

std::optional<role> parse_role(std::string_view text) {
  for (const auto x : all_roles)
    if (to_string(x) == text)
      return x;
  return std::nullopt;
}

std::vector<role> trusted_by(role x) {
  switch (x) {
  case role::controller:
    return {role::node, role::client};
  case role::node:
    return {role::controller, role::node, role::client};
  case role::client:
    return {role::controller, role::node};
  }
  return {};
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= longest_name && is_alphanumeric(text.front()) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_alphanumeric(c) || c == '.' || c == '_' || c == '-'; });
}

bool is_ip_address(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) // where inet_pton would stop
    return false;
  const std::string zero_ended{text};
  in6_addr room{};
  return ::inet_pton(AF_INET, zero_ended.c_str(), &room) == 1 || ::inet_pton(AF_INET6, zero_ended.c_str(), &room) == 1;
}

bool is_host(std::string_view text) {
  if (is_ip_address(text))
    return true;
  if (text.size() > longest_host)
    return false;
  std::string_view last;
  for (std::size_t at = 0; at <= text.size();) {
    const auto dot = std::min(text.find('.', at), text.size());
    last = text.substr(at, dot - at);
    if (!is_label(last))
      return false;
    at = dot + 1;
  }
  return !std::all_of(last.begin(), last.end(), is_digit); // 10.0.0.256 is a mistyped address
}

} // namespace troupe::cluster
