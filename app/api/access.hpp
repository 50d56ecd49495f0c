// Who may use the API: the token, the Host header, pages of other sites (SPEC 6).
#pragma once

#include <troupe/messages/http.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace troupe::api {

/// A value; immutable.
struct access_rules {
  std::string token;              ///< Empty: none is asked for.
  std::vector<std::string> hosts; ///< Names that may stand in Host besides addresses and localhost, in lower case.
};

/// Why `x` is refused, or nothing.
std::optional<response> refused(const request& x, const access_rules& rules);

/// The token in `<directory>/token`, made (256 random bits) when there is none. The file is readable by its owner
/// alone. Throws `std::runtime_error`.
std::string token_in(const std::filesystem::path& directory);

} // namespace troupe::api
