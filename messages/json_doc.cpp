// Parses JSON documents with a limit on their depth.
#include <troupe/messages/json_doc.hpp>
#include <troupe/messages/text.hpp>

namespace troupe {
bool json_doc::parse(std::string_view text) noexcept {
  try {
    if (find_deeper_than(text, max_depth) != std::string_view::npos)
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
