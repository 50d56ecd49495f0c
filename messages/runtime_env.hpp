// What the worker processes of a deployment run in: variables, folder, library search path, package, limits (SPEC 1.5).
//
// It has three forms: as it is written; sealed, as a spec has it: a secret with a digest of its content, a package with
// that of its copy; and resolved, as a worker gets it: texts and absolute paths alone.
#pragma once

#include <troupe/messages/json_doc.hpp>
#include <troupe/messages/validation.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// The resolved form, read. A value. Every part belongs to a process: it needs `isolation: process`.
struct runtime_env {
  std::map<std::string, std::string> env_vars; ///< Over those of the daemon.
  std::string working_dir;                     ///< Absolute; empty = the daemon's.
  std::vector<std::string> library_path;       ///< Absolute folders, before those of the system, first wins.

  struct limits {
    std::uint64_t memory_bytes = 0; ///< Of private data beyond what a worker has when it starts; 0 = none.
    std::uint32_t open_files = 0;   ///< 0 = the daemon's.
    std::uint32_t cpu_weight = 100; ///< 1 to 10000, as of cgroups; 100 = like any other process.
    bool core_dumps = false;
  };
  limits limit;
};

/// "512MiB", "1.5GiB", "100000" or an integer to bytes; nothing for what is none of these, or 0.
std::optional<std::uint64_t> to_bytes(const json& value);

enum class runtime_env_form : std::uint8_t { written, sealed };

/// Of a sealed package: `{"source": "as it was written", "digest": "..."}`.
inline constexpr const char* package_source = "source";
inline constexpr const char* package_digest = "digest";

/// A sealed one as it was written.
json written_form(json sealed);

/// Null and {} are the default. Precondition: it is resolved, and `check_runtime_env` had no complaint before that.
runtime_env read_runtime_env(const json& value);

/// Adds each bad member, by path ("runtime_env.env_vars.PATH"). `isolated`: the deployment has `isolation: process`;
/// without, all but an empty one is refused.
void check_runtime_env(const json& value, bool isolated, runtime_env_form form, std::vector<field_error>& errors);

} // namespace troupe
