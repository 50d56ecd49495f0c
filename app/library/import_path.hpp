// Import paths `path/libx.so:app`: what they mean, and where the file is.
#pragma once

#include <troupe/actors/router/result.hpp>
#include <troupe/app/library/file.hpp>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::library {

/// `path/libx.so:app`, taken apart. A value.
struct import_name {
  std::string file;   ///< As written.
  std::string symbol; ///< Of a TROUPE_APPLICATION; a C identifier.
};

/// `invalid_spec` when it is not of that form.
result<import_name> parse_import_path(std::string_view text);

/// A readable file inside a code directory; a regular one unless said.
struct found_file {
  descriptor open;
  std::filesystem::path path; ///< All links resolved.
};

/// Opens `file`. An absolute path must lie in one of the code directories, a relative one is looked for in each in
/// turn, and the first that is there counts; what it is must be inside one of them after all links are resolved. Errors
/// are `invalid_spec` and begin with `file`; that of a missing file lists the places where it was looked for.
result<found_file> find_file(const std::string& file, const std::vector<std::filesystem::path>& code_dirs);

/// As `find_file`, of whatever kind it is: a folder, too.
result<found_file> find_any(const std::string& file, const std::vector<std::filesystem::path>& code_dirs);

/// Whether `path`, resolved, is inside a code directory.
bool is_inside(const std::filesystem::path& path, const std::vector<std::filesystem::path>& code_dirs);

} // namespace troupe::library
