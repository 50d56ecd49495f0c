// Roles in a cluster, and what names and hosts may be.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace troupe::cluster {

/// What a process is in a cluster; each has a CA of its own. Is stored and signed: never renumber.
enum class role : std::uint8_t { controller = 1, node = 2, client = 3 };

inline constexpr std::array all_roles{role::controller, role::node, role::client};

std::string_view to_string(role x);
std::optional<role> parse_role(std::string_view text);

/// The roles whose certificates one of role `x` takes on a connection. Controllers take no other controller: there is
/// one.
std::vector<role> trusted_by(role x);

/// Of a process or a cluster: 1 to 64 of `A-Z a-z 0-9 . _ -`, the first one a letter or a digit. Such a name is part of
/// URIs and file names as it is; 64 is the limit of X.509 (RFC 5280, ub-common-name).
bool is_name(std::string_view text);
inline constexpr std::string_view allowed_names =
    "1 to 64 letters, digits, dots, underscores and dashes, with a letter or digit in front";

/// An IPv4 or IPv6 address without brackets.
bool is_ip_address(std::string_view text);
/// An address, or a host name without a wildcard.
bool is_host(std::string_view text);

} // namespace troupe::cluster
