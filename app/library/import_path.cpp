// The check is on the file that was opened, not on its name: nobody can change what that is afterwards.
#include <troupe/app/library/import_path.hpp>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>

namespace troupe::library {

namespace fs = std::filesystem;

namespace {

bool is_identifier(std::string_view x) {
  const auto letter = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; };
  return !x.empty() && std::isdigit(static_cast<unsigned char>(x.front())) == 0 &&
         std::all_of(x.begin(), x.end(), letter);
}

error bad(const std::string& what, const std::string& why) { return {errc::invalid_spec, what + ": " + why}; }

std::string listed(const std::vector<fs::path>& dirs) {
  std::string out;
  for (const auto& d : dirs)
    out += (out.empty() ? "" : ", ") + d.string();
  return out.empty() ? "none" : out;
}

result<found_file> open_file(const std::string& name, const fs::path& candidate,
                             const std::vector<fs::path>& code_dirs) {
  // Not blocking: the open of a pipe would wait for a writer.
  found_file found{descriptor{::open(candidate.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)}, {}};
  if (!found.open)
    return bad(name, "cannot be read: " + text_of_errno(errno) + " (" + candidate.string() + ")");
  found.path = path_of(found.open);
  if (found.path.empty() || !is_inside(found.path, code_dirs))
    return bad(name, "is outside of the code directories (" + listed(code_dirs) + "), after resolving links it is " +
                         found.path.string() + "; copy it there or start with --code-dir");
  return found;
}

} // namespace

result<import_name> parse_import_path(std::string_view text) {
  const auto colon = text.rfind(':');
  const auto form = std::string{"must be `path/libname.so:application`, as in `libspell.so:app`"};
  if (colon == std::string_view::npos || colon == 0 || text.find('\0') != std::string_view::npos)
    return bad("import_path \"" + std::string{text} + "\"", form);
  import_name out{std::string{text.substr(0, colon)}, std::string{text.substr(colon + 1)}};
  if (!is_identifier(out.symbol))
    return bad("import_path \"" + std::string{text} + "\"",
               form + "; \"" + out.symbol + "\" is no name of a TROUPE_APPLICATION");
  return out;
}

bool is_inside(const fs::path& path, const std::vector<fs::path>& code_dirs) {
  return std::any_of(code_dirs.begin(), code_dirs.end(), [&](const fs::path& dir) {
    std::error_code none;
    const auto root = fs::canonical(dir, none);
    if (none)
      return false;
    const auto [at, end] = std::mismatch(root.begin(), root.end(), path.begin(), path.end());
    return at == root.end();
  });
}

result<found_file> find_any(const std::string& file, const std::vector<fs::path>& code_dirs) {
  const fs::path name{file};
  std::vector<fs::path> candidates;
  if (name.is_absolute())
    candidates.push_back(name);
  else
    for (const auto& dir : code_dirs)
      candidates.push_back(dir / name);
  std::string tried;
  for (const auto& candidate : candidates) {
    std::error_code why;
    const auto what = fs::status(candidate, why);
    if (what.type() != fs::file_type::not_found)
      return open_file(file, candidate, code_dirs);
    tried += (tried.empty() ? "" : ", ") + candidate.string();
  }
  if (candidates.empty())
    return bad(file, "there are no code directories to look in; start with --code-dir");
  return bad(file, "no such file; looked for " + tried);
}

result<found_file> find_file(const std::string& file, const std::vector<fs::path>& code_dirs) {
  auto found = find_any(file, code_dirs);
  if (!found)
    return found;
  struct stat about {};
  if (::fstat(found->open.get(), &about) != 0)
    return bad(file, "cannot be read: " + text_of_errno(errno));
  if (S_ISDIR(about.st_mode))
    return bad(file, "is a directory, not a shared library (" + found->path.string() + ")");
  if (!S_ISREG(about.st_mode))
    return bad(file, "is not a regular file (" + found->path.string() + ")");
  return found;
}

} // namespace troupe::library
