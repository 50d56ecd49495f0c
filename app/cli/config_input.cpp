// Reads config files for `deploy` and `plan`.
#include <troupe/app/cli/config_input.hpp>
#include <troupe/app/cli/text.hpp>

#include <algorithm>
#include <istream>
#include <iterator>
#include <ostream>

namespace troupe::cli {
namespace {

// At most one byte more than is read, which is then refused by its size.
std::string read_all(std::istream& in) {
  std::string text(config::max_text_bytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

// "applications[0].deployments[1].x" stands in the file; what a PUT of one application complains about is below it.
std::string with_places(const json& fields, const config::place& root, const std::string& file,
                        const std::string& prefix) {
  std::string result;
  for (const auto& f : fields) {
    const auto path = prefix + value_or<std::string>(f, "path", "");
    const auto& at = config::locate(root, path);
    result +=
        '\n' + config::to_string(config::problem{file, at.line, at.column, path, value_or<std::string>(f, "value", ""),
                                                 value_or<std::string>(f, "allowed", "")});
  }
  return result;
}

} // namespace

config::document_result read_config(const std::string& file, invocation& in) {
  auto result = file == "-" ? config::read_text(read_all(in.w.in), "(standard input)") : config::read_file(file);
  for (const auto& w : result.warnings)
    in.w.err << "troupe: warning: " << w << '\n';
  if (!result.ok())
    throw failure{exit_code::usage, "the config has faults; nothing was sent\n" + config::to_string(result.errors)};
  return result;
}

void tell_warnings(const json& answer, const config::document_result& from, invocation& in) {
  for (const auto& w : part(answer, "warnings")) {
    const auto text = w.is_string() ? w.get<std::string>() : w.dump();
    const auto known = [&](const std::string& x) { return x.ends_with(text); }; // "app.yaml:3:7: " before it
    if (std::none_of(from.warnings.begin(), from.warnings.end(), known))
      in.w.err << "troupe: warning: " << harmless(text) << '\n';
  }
}

json send_config(const api& daemon, const config::document_result& from, const std::string& file,
                 std::string_view method, const std::string& path, const json& body,
                 std::optional<std::uint64_t> if_revision) {
  try {
    return daemon.send(method, path, body, if_revision);
  } catch (const api_error& e) {
    const auto& error = part(e.body(), "error");
    const auto& fields = part(error, "fields");
    if (fields.empty())
      throw;
    const bool is_one = path.starts_with("/applications/");
    throw api_error{
        e.code(),
        value_or<std::string>(error, "message", "the daemon refused the config") +
            with_places(fields, from.root, file == "-" ? "(standard input)" : file, is_one ? "applications[0]." : ""),
        e.status(), e.body(), e.wants_json()};
  }
}

} // namespace troupe::cli
