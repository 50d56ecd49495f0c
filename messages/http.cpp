// Looking up header fields, and the usual responses.
#include <troupe/messages/http.hpp>

#include <algorithm>

namespace troupe {

namespace {

constexpr char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

response typed(std::uint16_t status, const char* type, std::string body) {
  response result;
  result.status = status;
  result.headers.push_back({"Content-Type", type});
  result.body = std::move(body);
  return result;
}

} // namespace

bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view find_header(const std::vector<header_field>& fields, std::string_view name) noexcept {
  for (const auto& field : fields)
    if (equals_ignoring_case(field.name, name))
      return field.value;
  return {};
}

std::string_view request::sub_path() const noexcept {
  std::string_view rest = path;
  if (route_prefix.size() > 1 && rest.starts_with(route_prefix))
    rest.remove_prefix(route_prefix.size());
  return rest.empty() ? std::string_view{"/"} : rest;
}

response response::text(std::uint16_t status, std::string body) {
  return typed(status, "text/plain; charset=utf-8", std::move(body));
}

response response::json(std::uint16_t status, std::string body) {
  return typed(status, "application/json", std::move(body));
}

} // namespace troupe
