// The form of a reference to a secret: `{"$secret": "name"}`, sealed `{"$secret": "name", "$digest": "..."}`.
#pragma once

#include <troupe/messages/json_doc.hpp>

#include <functional>
#include <string>

namespace troupe::secrets {

inline constexpr const char* name_member = "$secret";
inline constexpr const char* digest_member = "$digest";

/// What it must be; empty when it is that.
std::string malformed(const json& reference, bool may_be_sealed);

/// Precondition: not malformed.
std::string name_in(const json& reference);

/// Calls `f` for each object in `x` with the member `$secret`, with its path (`path` is that of `x`). `f` may replace
/// it; what is in it is not looked at.
void for_each_reference(json& x, const std::string& path, const std::function<void(json&, const std::string&)>& f);

} // namespace troupe::secrets
