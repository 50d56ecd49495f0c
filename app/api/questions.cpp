// Reads requests with every fault told at once.
#include <troupe/app/api/questions.hpp>
#include <troupe/app/config/source.hpp>
#include <troupe/app/http/target.hpp>
#include <troupe/app/logs/line.hpp>
#include <troupe/messages/spec_fields.hpp>
#include <troupe/messages/validation.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <initializer_list>
#include <utility>

namespace troupe::api {

namespace {

using fields = std::vector<config::problem>;

config::problem field(std::string_view path, std::string value, std::string_view allowed) {
  return {{}, 0, 0, std::string(path), std::move(value), std::string(allowed)};
}

[[noreturn]] void refuse(std::string code, fields wrong) {
  auto message = config::to_string(wrong);
  throw problem_answer({400, std::move(code), std::move(message), std::move(wrong)});
}

std::string shown(std::string_view text) { return spec_fields::excerpt(json(std::string(text))); }

std::uint64_t number(std::string_view text, std::string_view what, std::string_view allowed) {
  std::uint64_t n = 0;
  const auto [end, e] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (e != std::errc{} || end != text.data() + text.size())
    refuse("invalid_request", {field(what, shown(text), allowed)});
  return n;
}

std::vector<std::string> unknown_names(const json& body, std::initializer_list<std::string_view> known) {
  std::vector<std::string> out;
  for (const auto& [key, value] : body.items())
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      if (out.size() == config::max_problems) {
        out.emplace_back("further names are ignored");
        break;
      }
      out.push_back(spec_fields::excerpt_of_key(key) + ": no option has this name, it is ignored");
    }
  return out;
}

} // namespace

std::optional<std::string> query_of(const request& x, std::string_view key) {
  std::string_view rest = x.query;
  while (!rest.empty()) {
    const auto part = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    const auto eq = part.find('=');
    if (part.substr(0, eq) != key)
      continue;
    if (eq == std::string_view::npos)
      return "true";
    auto value = http::percent_decoded(part.substr(eq + 1));
    if (!value)
      refuse("invalid_request", {field(key, shown(part.substr(eq + 1)), "a value whose %XX are whole")});
    return value;
  }
  return std::nullopt;
}

bool flag_of(const request& x, std::string_view key) {
  const auto value = query_of(x, key);
  if (!value || *value == "false" || *value == "0")
    return false;
  if (*value != "true" && *value != "1")
    refuse("invalid_request", {field(key, shown(*value), "true or false")});
  return true;
}

std::optional<std::uint64_t> if_match_of(const request& x) {
  std::optional<std::string_view> given;
  for (const auto& f : x.headers) {
    if (!equals_ignoring_case(f.name, "If-Match"))
      continue;
    if (given)
      refuse("invalid_request", {field("If-Match", "twice", "one revision")});
    given = f.value;
  }
  if (!given)
    return std::nullopt;
  auto text = *given;
  if (text.size() > 2 && text.front() == '"' && text.back() == '"')
    text = text.substr(1, text.size() - 2);
  return number(text, "If-Match", "a revision, as `plan` and the application tell it");
}

std::optional<std::uint64_t> event_id_of(const request& x) {
  constexpr std::string_view allowed = "the id of an event";
  if (const auto after = query_of(x, "after"))
    return number(*after, "after", allowed);
  if (const auto last = x.header("Last-Event-ID"); !last.empty())
    return number(last, "Last-Event-ID", allowed);
  return std::nullopt;
}

std::size_t tail_of(const request& x) {
  constexpr std::uint64_t least = 1;
  constexpr std::uint64_t usual = 1'000;
  constexpr std::uint64_t most = 100'000;
  constexpr std::string_view allowed = "a number of lines from 1 to 100000";
  const auto text = query_of(x, "tail");
  if (!text)
    return usual;
  const auto n = number(*text, "tail", allowed);
  if (n < least || n > most)
    refuse("invalid_request", {field("tail", shown(*text), allowed)});
  return n;
}

std::string since_of(const request& x) {
  const auto text = query_of(x, "since").value_or("");
  if (text.empty())
    return {};
  const auto when = logs::parse_since(text, std::chrono::system_clock::now());
  if (!when)
    refuse("invalid_request", {field("since", shown(text), logs::allowed_since)});
  return logs::time_text(*when);
}

json body_of(const request& x) {
  auto read = config::read_source(x.body, "body", config::syntax::json);
  if (!read.errors.empty())
    refuse("invalid_json", std::move(read.errors));
  if (!read.source.value.is_object())
    refuse("invalid_json", {field("body", spec_fields::excerpt(read.source.value), "a JSON object")});
  return std::move(read.source.value);
}

config::document_result config_of(const request& x) {
  auto read = config::read_json(body_of(x));
  if (!read.ok())
    refuse("invalid_config", std::move(read.errors));
  return read;
}

config::application_result application_of(const request& x, std::string_view called) {
  auto read = config::read_application_json(body_of(x), called);
  if (!read.ok())
    refuse("invalid_config", std::move(read.errors));
  return read;
}

scale_question scale_of(const request& x, std::string_view name) {
  const auto body = body_of(x);
  const auto it = body.find(name);
  const auto n = it == body.end() ? std::nullopt : spec_fields::to_integer(*it);
  if (!n || *n < 0 || *n > max_num_replicas)
    refuse("invalid_request", {field(name, it == body.end() ? "nothing" : spec_fields::excerpt(*it),
                                     "an integer from 0 to " + std::to_string(max_num_replicas))});
  return {static_cast<std::uint32_t>(*n), unknown_names(body, {name})};
}

rollout_question rollout_of(const request& x) {
  const auto body = body_of(x);
  rollout_question out;
  fields wrong;
  const auto action = body.find("action");
  std::string known;
  bool found = false;
  for (int i = 0; i <= static_cast<int>(last_enumerator(rollout_action{})); ++i) {
    const auto name = to_string(static_cast<rollout_action>(i));
    known += (i == 0 ? "" : ", ") + name;
    if (action != body.end() && *action == name) {
      found = true;
      out.action = static_cast<rollout_action>(i);
    }
  }
  if (!found)
    wrong.push_back(
        field("action", action == body.end() ? "nothing" : spec_fields::excerpt(*action), "one of " + known));
  if (const auto revision = body.find("revision"); revision != body.end() && !revision->is_null()) {
    if (revision->is_number_unsigned())
      out.revision = revision->get<std::uint64_t>();
    else
      wrong.push_back(field("revision", spec_fields::excerpt(*revision), "the number of a revision, or 0"));
  }
  if (!wrong.empty())
    refuse("invalid_request", std::move(wrong));
  out.warnings = unknown_names(body, {"action", "revision"});
  return out;
}

response as_json(const json& x, std::uint16_t status) {
  return response::json(status, x.dump(-1, ' ', false, json::error_handler_t::replace) + "\n");
}

response error_answer(const daemon::refusal& why, json more) {
  json list = json::array();
  for (const auto& f : why.fields)
    list.push_back({{"path", f.path}, {"value", f.value}, {"allowed", f.allowed}});
  more["error"] = {{"code", why.code}, {"message", why.message}, {"fields", std::move(list)}};
  return as_json(more, static_cast<std::uint16_t>(why.status));
}

} // namespace troupe::api
