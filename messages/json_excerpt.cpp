// Shortened JSON for messages, and the limits on documents; all safe for values of any depth.
#include <troupe/messages/spec_fields.hpp>

#include <cmath>

namespace troupe::spec_fields {
namespace {

// Stops once there is more than enough, so neither depth nor size of the value matter.
class excerpt_writer {
public:
  std::string write(const json& value) {
    add(value);
    if (text_.size() <= max_excerpt)
      return std::move(text_);
    constexpr std::string_view ellipsis = "...";
    auto end = max_excerpt - ellipsis.size();
    while (end > 0 && (static_cast<unsigned char>(text_[end]) & 0xC0U) == 0x80U) // not inside of a character
      --end;
    return text_.substr(0, end).append(ellipsis);
  }

private:
  bool full() const { return text_.size() > max_excerpt; }

  void add(const json& value) {
    if (full())
      return;
    if (value.is_object()) {
      text_ += '{';
      for (auto it = value.begin(); it != value.end() && !full(); ++it) {
        if (it != value.begin())
          text_ += ',';
        add_text(it.key());
        text_ += ':';
        add(it.value());
      }
      text_ += '}';
    } else if (value.is_array()) {
      text_ += '[';
      for (auto it = value.begin(); it != value.end() && !full(); ++it) {
        if (it != value.begin())
          text_ += ',';
        add(*it);
      }
      text_ += ']';
    } else if (value.is_string()) {
      add_text(value.get_ref<const std::string&>());
    } else if (value.is_binary()) {
      text_ += "(binary)";
    } else if (value.is_number_float() && !std::isfinite(value.get<double>())) {
      text_ += std::isnan(value.get<double>()) ? "nan" : value.get<double>() > 0 ? "inf" : "-inf"; // no JSON
    } else {
      text_ += value.dump();
    }
  }

  void add_text(std::string_view s) {
    const bool whole = s.size() <= 2 * max_excerpt;
    text_ += json(std::string(s.substr(0, 2 * max_excerpt))).dump(-1, ' ', false, json::error_handler_t::replace);
    if (!whole)
      text_ += "..."; // the rest is cut away anyway
  }

  std::string text_;
};

bool is_clean(const json& value) {
  if (value.is_structured())
    return std::all_of(value.begin(), value.end(), is_clean);
  return !value.is_binary() && !value.is_discarded() &&
         (!value.is_number_float() || std::isfinite(value.get<double>()));
}

} // namespace

std::string excerpt(const json& value) { return excerpt_writer{}.write(value); }

std::string excerpt_of_key(std::string_view key) {
  const bool cut = key.size() > max_excerpt;
  auto text = json(std::string(key.substr(0, max_excerpt))).dump(-1, ' ', false, json::error_handler_t::replace);
  text = text.substr(1, text.size() - 2);
  return cut ? text + "..." : text;
}

bool is_shallow(const json& value, int levels) {
  if (!value.is_structured())
    return true;
  return levels > 0 &&
         std::all_of(value.begin(), value.end(), [levels](const json& x) { return is_shallow(x, levels - 1); });
}

std::optional<std::string> document_problem(const json& value) {
  if (!is_shallow(value))
    return "JSON that nests at most 64 levels";
  if (!is_clean(value))
    return "JSON without NaN, infinity and binary values";
  try {
    if (value.dump().size() > max_document_bytes)
      return "JSON of at most 1048576 bytes";
  } catch (const json::exception&) {
    return "JSON in UTF-8";
  }
  return std::nullopt;
}

} // namespace troupe::spec_fields
