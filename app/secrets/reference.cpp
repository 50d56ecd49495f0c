#include <troupe/app/secrets/reference.hpp>
#include <troupe/app/secrets/secrets.hpp>

#include <algorithm>
#include <string_view>

namespace troupe::secrets {

namespace {

constexpr std::size_t max_name = 255; // a file's name

bool is_reference(const json& x) { return x.is_object() && x.contains(name_member); }

bool is_name(std::string_view x) {
  const auto bad = [](char c) { return c == '/' || static_cast<unsigned char>(c) < ' ' || c == '\x7f'; };
  return !x.empty() && x.size() <= max_name && x.front() != '.' && std::none_of(x.begin(), x.end(), bad);
}

} // namespace

std::string malformed(const json& reference, bool may_be_sealed) {
  const auto& name = reference.at(name_member);
  const bool good_name = name.is_string() && is_name(name.get_ref<const std::string&>());
  const bool is_sealed = may_be_sealed && reference.contains(digest_member);
  if (good_name && reference.size() == (is_sealed ? 2U : 1U))
    return {};
  return R"({"$secret": name} with no other member; the name is a text of 1 to 255 bytes without '/' and control )"
         "characters that does not begin with '.'";
}

std::string name_in(const json& reference) { return reference.at(name_member).get<std::string>(); }

void for_each_reference(json& x, const std::string& path, const std::function<void(json&, const std::string&)>& f) {
  if (is_reference(x))
    return f(x, path);
  if (x.is_object())
    for (auto& [key, value] : x.items())
      for_each_reference(value, path.empty() ? key : path + "." + key, f);
  else if (x.is_array())
    for (std::size_t i = 0; i < x.size(); ++i)
      for_each_reference(x[i], path + "[" + std::to_string(i) + "]", f);
}

bool has_references(const json& x) {
  if (is_reference(x))
    return true;
  return x.is_structured() && std::any_of(x.begin(), x.end(), [](const json& y) { return has_references(y); });
}

json shown(json x) {
  for_each_reference(x, "", [](json& reference, const std::string&) { reference.erase(digest_member); });
  return x;
}

} // namespace troupe::secrets
