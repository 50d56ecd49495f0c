// The request target: which forms are taken, and what path and query they hold (RFC 9112 section 3.2).
#pragma once

#include <troupe/messages/http.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace troupe::http {

/// Fills `target`, `path` and `query` of `into` for its `method`. Takes the origin form, the absolute form with http or
/// https, and `*` with OPTIONS. False for anything else, for bytes that a URI cannot have, and for escapes that are
/// wrong or hide control characters.
bool read_target(std::string_view target, request& into);

/// The text with %XX undone; none where an escape is wrong or stands for a control character.
std::optional<std::string> percent_decoded(std::string_view text);

} // namespace troupe::http
