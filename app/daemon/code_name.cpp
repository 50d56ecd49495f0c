#include <troupe/app/daemon/code_name.hpp>

namespace troupe::daemon {

std::string to_string(const code_name& x) {
  return json{{"digest", x.digest}, {"import_path", x.import_path}, {"args", x.args}, {"deployment", x.deployment}}
      .dump();
}

std::optional<code_name> code_name_from(const std::string& text) {
  const auto read = json::parse(text, nullptr, false);
  if (!read.is_object())
    return std::nullopt;
  return code_name{read.value("digest", ""), read.value("import_path", ""), read.value("args", json::object()),
                   read.value("deployment", "")};
}

std::string digest_of(const stored_release& x) {
  const auto name = code_name_from(x.user_code.name);
  return name ? name->digest : "";
}

} // namespace troupe::daemon
