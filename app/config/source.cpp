// Checks a text as a whole, chooses its parser, and finds places by path.
#include <troupe/app/config/parsers.hpp>
#include <troupe/app/config/source.hpp>
#include <troupe/messages/spec_fields.hpp>
#include <troupe/messages/text.hpp>

#include <algorithm>
#include <optional>
#include <utility>

namespace troupe::config {
namespace {

struct bad_bytes {
  std::size_t offset;
  std::string_view what;
};

// Also keeps yaml-cpp from taking the text for UTF-16, which it would on zero bytes.
std::optional<bad_bytes> find_bad_bytes(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7F)
      return bad_bytes{i, "a control character; only tabs and line ends may stand in the text"};
    const auto length = utf8_at(text, i).length;
    if (length == 0)
      return bad_bytes{i, "not UTF-8"};
    i += length;
  }
  return std::nullopt;
}

bool is_json(std::string_view text, std::string_view name, syntax how) {
  if (how != syntax::by_name)
    return how == syntax::json;
  if (name.ends_with(".json"))
    return true;
  if (name.ends_with(".yaml") || name.ends_with(".yml"))
    return false;
  const auto first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && text[first] == '{';
}

// How much of `path` the part `p` stands for; 0 when it is not the next step.
std::size_t step_length(const place& p, std::size_t index, std::string_view path) {
  if (path.starts_with('[')) {
    const auto step = '[' + std::to_string(index) + ']';
    return p.key.empty() && path.starts_with(step) ? step.size() : 0;
  }
  const auto key = spec_fields::excerpt_of_key(p.key);
  if (key.empty() || !path.starts_with(key))
    return 0;
  return path.size() == key.size() || path[key.size()] == '.' || path[key.size()] == '[' ? key.size() : 0;
}

} // namespace

position position_of(std::string_view text, std::size_t offset) {
  text = text.substr(0, std::min(offset, text.size()));
  const auto lines = std::count(text.begin(), text.end(), '\n');
  const auto start = text.rfind('\n');
  const auto column = start == std::string_view::npos ? text.size() : text.size() - start - 1;
  return {static_cast<std::uint32_t>(lines + 1), static_cast<std::uint32_t>(column + 1)};
}

problem syntax_problem(const source& in, position at, std::string sentence) {
  return {in.name, at.line, at.column, {}, {}, std::move(sentence)};
}

source_result read_source(std::string_view text, std::string name, syntax how) {
  source_result result;
  result.source.name = std::move(name);
  const auto refuse = [&](position at, std::string sentence) {
    result.errors.push_back(syntax_problem(result.source, at, std::move(sentence)));
    result.is_readable = false;
    return std::move(result);
  };
  if (text.size() > max_text_bytes)
    return refuse({0, 0}, "the text has " + std::to_string(text.size()) + " bytes; at most " +
                              std::to_string(max_text_bytes) + " are read");
  if (text.starts_with("\xEF\xBB\xBF")) // byte order mark
    text.remove_prefix(3);
  if (const auto bad = find_bad_bytes(text))
    return refuse(position_of(text, bad->offset), std::string(bad->what));
  if (is_json(text, result.source.name, how))
    result.is_readable = parse_json(text, result.source, result.errors);
  else
    result.is_readable = parse_yaml(text, result.source, result.errors);
  return result;
}

const place& locate(const place& root, std::string_view path) {
  const place* at = &root;
  while (!path.empty()) {
    const place* next = nullptr;
    std::size_t longest = 0;
    for (std::size_t i = 0; i < at->parts.size(); ++i)
      if (const auto n = step_length(at->parts[i], i, path); n > longest) {
        longest = n;
        next = &at->parts[i];
      }
    if (!next)
      break;
    at = next;
    path.remove_prefix(longest);
    if (path.starts_with('.'))
      path.remove_prefix(1);
  }
  return *at;
}

} // namespace troupe::config
