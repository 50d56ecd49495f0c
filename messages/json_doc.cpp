// Parses JSON documents with a limit on their depth.
#include <troupe/messages/json_doc.hpp>

namespace troupe {
namespace {

// Counts brackets outside of strings: exact for JSON, and what is not JSON is refused by the parser afterwards.
bool nests_deeper_than(std::string_view text, int limit) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > limit)
        return true;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return false;
}

} // namespace

bool json_doc::parse(std::string_view text) noexcept {
  try {
    if (nests_deeper_than(text, max_depth))
      return false;
    auto value = json::parse(text, nullptr, false);
    if (value.is_discarded())
      return false;
    *this = json_doc{std::move(value)};
    return true;
  } catch (...) { // out of memory
    return false;
  }
}

const json& json_doc::null_json() noexcept {
  static const json null;
  return null;
}

} // namespace troupe
