// Whole documents: the top object, and what must be unique among applications.
#include <troupe/app/config/document.hpp>
#include <troupe/app/config/readers.hpp>
#include <troupe/messages/spec_fields.hpp>

#include <fstream>
#include <map>
#include <system_error>
#include <utility>

namespace troupe::config {
namespace {

std::optional<proxy_location> read_proxy_location(const json& value, reporter& told) {
  if (value.is_null())
    return std::nullopt;
  auto x = value.is_string() ? parse_proxy_location(value.get_ref<const std::string&>()) : std::nullopt;
  if (!x)
    told.error("proxy_location", value, "\"EveryNode\" or \"HeadOnly\": the daemon always takes HTTP");
  return x;
}

// Ray starts gRPC only when servicer functions are named.
void check_grpc_options(const json& value, reporter& told) {
  if (value.is_null())
    return;
  if (!value.is_object())
    return told.error("grpc_options", value, "an object or null");
  const auto functions = value.find("grpc_servicer_functions");
  if (functions != value.end() && !functions->is_null() && *functions != json::array())
    told.error("grpc_options.grpc_servicer_functions", *functions, "nothing: there is no gRPC");
}

class unique {
public:
  explicit unique(reporter& told) : told_(told) {}

  // `given` is what the application says itself; null where it leaves the name out.
  void check(const std::string& value, const json& given, std::size_t index, std::string_view key) {
    const auto [first, is_new] = seen_.emplace(value, index);
    if (!is_new)
      told_.error_about(member(element("applications", index), key), json(value).dump(-1, ' ', false, replace),
                        "a " + std::string(key) + " that no other application has; applications[" +
                            std::to_string(first->second) + "] has it too" +
                            (given.is_null() ? " (it is the default where none is written)" : ""));
  }

private:
  static constexpr auto replace = json::error_handler_t::replace;
  reporter& told_;
  std::map<std::string, std::size_t, std::less<>> seen_;
};

json member_of(const json& object, const char* key) {
  const auto it = object.is_object() ? object.find(key) : object.end();
  return it == object.end() ? json(nullptr) : *it;
}

void read_applications(const json& list, document& to, reporter& told) {
  if (!list.is_array())
    return told.error("applications", list, "a list of applications");
  unique names{told};
  unique prefixes{told};
  for (std::size_t i = 0; i < list.size(); ++i) {
    auto app = read_application(list[i], element("applications", i), "default", told);
    if (!list[i].is_object())
      continue;
    names.check(app.name, member_of(list[i], "name"), i, "name");
    if (app.route_prefix)
      prefixes.check(*app.route_prefix, member_of(list[i], "route_prefix"), i, "route_prefix");
    to.applications.push_back(std::move(app));
  }
}

document read_document(const json& value, reporter& told) {
  document result;
  if (!value.is_object()) {
    told.error({}, value, "an object with \"applications\"");
    return result;
  }
  told.check_names(value, {}, document_keys());
  if (value.contains("http_options"))
    result.http = read_http_options(value["http_options"], "http_options", told);
  if (value.contains("proxy_location"))
    result.proxies = read_proxy_location(value["proxy_location"], told);
  if (value.contains("grpc_options"))
    check_grpc_options(value["grpc_options"], told);
  if (value.contains("logging_config"))
    check_logging_config(value["logging_config"], "logging_config", told);
  if (value.contains("applications"))
    read_applications(value["applications"], result, told);
  else
    told.error_about("applications", "nothing", "a list of applications");
  result.as_given = value;
  return result;
}

/// `read_value(result, value, told)` fills in what `result` is about.
template <class Result, class F>
Result finish(source_result from, F read_value) {
  Result result;
  if (from.is_readable) {
    reporter told{from.source, std::move(from.errors)};
    read_value(result, from.source.value, told);
    result.errors = told.take_errors();
    result.warnings = told.take_warnings();
  } else {
    result.errors = std::move(from.errors);
  }
  result.root = std::move(from.source.root);
  return result;
}

document_result read(source_result from) {
  return finish<document_result>(std::move(from), [](document_result& to, const json& value, reporter& told) {
    to.document = read_document(value, told);
  });
}

application_result read(source_result from, std::string_view called) {
  const auto fill = [called](application_result& to, const json& value, reporter& told) {
    to.application = read_application(value, {}, called, told);
    if (to.application.name != called && value.is_object())
      told.error("name", value.at("name"),
                 json(std::string(called)).dump(-1, ' ', false, json::error_handler_t::replace) +
                     ", as in the address, or no name");
  };
  return finish<application_result>(std::move(from), fill);
}

document_result unreadable(const std::filesystem::path& file, std::string sentence) {
  document_result result;
  result.errors.push_back({file.string(), 0, 0, {}, {}, std::move(sentence)});
  return result;
}

source_result without_text(const json& object) {
  source_result result;
  if (!spec_fields::is_shallow(object))
    result = {{}, {{{}, 0, 0, {}, {}, "nests deeper than " + std::to_string(max_text_depth) + " levels"}}, false};
  else
    result.source.value = object;
  return result;
}

} // namespace

std::string_view to_string(proxy_location x) {
  switch (x) {
  case proxy_location::every_node:
    return "EveryNode";
  case proxy_location::head_only:
    return "HeadOnly";
  }
  return "?";
}

std::optional<proxy_location> parse_proxy_location(std::string_view name) {
  for (const auto x : {proxy_location::every_node, proxy_location::head_only})
    if (name == to_string(x))
      return x;
  return std::nullopt;
}

document_result read_text(std::string_view text, std::string name, syntax how) {
  return read(read_source(text, std::move(name), how));
}

document_result read_file(const std::filesystem::path& file) {
  std::error_code error;
  const auto size = std::filesystem::file_size(file, error); // of directories: an error
  if (!error && size > max_text_bytes)
    return unreadable(file, "the file has " + std::to_string(size) + " bytes; at most " +
                                std::to_string(max_text_bytes) + " are read");
  if (std::filesystem::is_directory(file, error))
    return unreadable(file, "is a directory, not a config file");
  std::ifstream in{file, std::ios::binary};
  if (!in)
    return unreadable(file, std::filesystem::exists(file, error) ? "cannot be read: check its permissions"
                                                                 : "there is no such file");
  std::string text(max_text_bytes + 1, '\0'); // pipes have no size
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (in.bad())
    return unreadable(file, "reading it failed");
  return read_text(text, file.string());
}

document_result read_json(const json& object) { return read(without_text(object)); }

application_result read_application_text(std::string_view text, std::string name, std::string_view called, syntax how) {
  return read(read_source(text, std::move(name), how), called);
}

application_result read_application_json(const json& object, std::string_view called) {
  return read(without_text(object), called);
}

} // namespace troupe::config
