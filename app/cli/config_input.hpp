// Config files as commands take them: read and checked here, so that faults have a line before anything is sent.
#pragma once

#include <troupe/app/cli/api.hpp>
#include <troupe/app/config/document.hpp>

#include <string>

namespace troupe::cli {

/// Reads `file` ("-" = standard input). Warnings go to stderr; faults are a `failure` with a line each.
config::document_result read_config(const std::string& file, invocation& in);

/// The warnings of an answer on stderr, without those that `read_config` has told with their lines already.
void tell_warnings(const json& answer, const config::document_result& from, invocation& in);

/// Sends; a daemon's complaint about a field gets the line in `file` where it stands.
json send_config(const api& daemon, const config::document_result& from, const std::string& file,
                 std::string_view method, const std::string& path, const json& body,
                 std::optional<std::uint64_t> if_revision = {});

} // namespace troupe::cli
