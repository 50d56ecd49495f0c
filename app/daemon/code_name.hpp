// Under which name the code of a revision is stored: all that it takes to load it again.
#pragma once

#include <troupe/messages/json_doc.hpp>
#include <troupe/messages/stored_deployment.hpp>

#include <optional>
#include <string>

namespace troupe::daemon {

/// A value. `code_ref::name` of the daemon is its JSON form.
struct code_name {
  std::string digest; ///< SHA-256 of the library.
  std::string import_path;
  json args = json::object();
  std::string deployment;
};

std::string to_string(const code_name& x);
/// Nothing: the text is none.
std::optional<code_name> code_name_from(const std::string& text);
/// Of the library of `x`; empty when its name is none.
std::string digest_of(const stored_release& x);

} // namespace troupe::daemon
