// Texts that another reader could take for something else are quoted.
#include <troupe/app/cli/yaml_text.hpp>

#include <algorithm>

namespace troupe::cli {
namespace {

// Letters, digits and what is harmless between them; not what YAML 1.1 readers take for a boolean or null.
bool is_plain(const std::string& text) {
  constexpr std::string_view inner = "_-./+@%=~";
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (text.empty() || !(letter(text[0]) || text[0] == '/'))
    return false;
  std::string lower = text;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  for (const auto* word : {"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
    if (lower == word)
      return false;
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return letter(c) || (c >= '0' && c <= '9') || inner.find(c) != std::string_view::npos;
  });
}

std::string scalar(const json& value) {
  if (value.is_string() && is_plain(value.get_ref<const std::string&>()))
    return value.get<std::string>();
  // A JSON text is a double-quoted YAML one; U+007F, which YAML does not print, and C1 controls are escaped by hand.
  std::string result;
  for (const char c : value.dump(-1, ' ', true, json::error_handler_t::replace))
    if (c == '\x7F')
      result += "\\u007f";
    else
      result += c;
  return result;
}

void write(const json& value, int indent, bool after_dash, std::string& to);

void write_value(const json& value, int indent, std::string& to) {
  if (!value.is_structured() || value.empty()) {
    to += ' ' + scalar(value) + '\n';
    return;
  }
  to += '\n';
  write(value, value.is_array() ? indent : indent + 2, false, to);
}

void write(const json& value, int indent, bool after_dash, std::string& to) {
  const std::string space(static_cast<std::size_t>(indent), ' ');
  if (!value.is_structured() || value.empty()) {
    to += scalar(value) + '\n';
    return;
  }
  bool is_first = true;
  for (const auto& [key, member] : value.items()) {
    if (!is_first || !after_dash)
      to += space;
    is_first = false;
    if (value.is_array()) {
      to += "- ";
      write(member, indent + 2, true, to);
    } else {
      to += scalar(key) + ':';
      write_value(member, indent, to);
    }
  }
}

} // namespace

std::string yaml_text(const json& value) {
  std::string result;
  write(value, 0, false, result);
  return result;
}

} // namespace troupe::cli
