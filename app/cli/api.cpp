// Tokens, paths, and what the daemon's refusals mean for the operator.
#include <troupe/app/cli/addresses.hpp>
#include <troupe/app/cli/api.hpp>

#include <algorithm>
#include <fstream>

namespace troupe::cli {
namespace {

constexpr std::string_view prefix = "/api/troupe/v1";

// What a header may carry; everything else would change the request.
bool is_token(std::string_view text) {
  return !text.empty() && text.size() <= 4096 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

std::string trimmed(std::string text) {
  constexpr auto space = " \t\r\n";
  text.erase(text.find_last_not_of(space) + 1);
  text.erase(0, text.find_first_not_of(space));
  return text;
}

// One line per field.
std::string fields_of(const json& error) {
  std::string result;
  for (const auto& f : part(error, "fields"))
    result += "\n  " + value_or<std::string>(f, "path", "") + ": " + value_or<std::string>(f, "value", "") +
              " is not allowed; expected " + value_or<std::string>(f, "allowed", "");
  return result;
}

exit_code code_for(unsigned status) { return status == 400 || status == 413 ? exit_code::usage : exit_code::failed; }

} // namespace

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  constexpr std::string_view kept = "-._~";
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                          kept.find(c) != std::string_view::npos;
    if (is_plain)
      result += c;
    else
      result.append({'%', digits[byte >> 4U], digits[byte & 15U]});
  }
  return result;
}

const json& part(const json& object, const char* key) {
  static const json none = json::array();
  if (!object.is_object())
    return none;
  const auto it = object.find(key);
  return it == object.end() || !it->is_structured() ? none : *it;
}

deployment_path parse_deployment(const std::string& text) {
  deployment_path result;
  const auto slash = text.find('/');
  if (slash != std::string::npos)
    result.application = text.substr(0, slash);
  result.name = text.substr(slash == std::string::npos ? 0 : slash + 1);
  if (result.application.empty() || result.name.empty() || result.name.find('/') != std::string::npos)
    throw failure{exit_code::usage, '"' + text + "\" is not the name of a deployment: [APPLICATION/]DEPLOYMENT"};
  return result;
}

std::string api::path_of(const std::string& application) { return "/applications/" + percent_encoded(application); }

std::string api::path_of(const deployment_path& x) {
  return path_of(x.application) + "/deployments/" + percent_encoded(x.name);
}

api::api(const invocation& in)
    : timeout_(parse_seconds(in.get<double>("timeout"), "--timeout")), json_output_(in.json_output()) {
  const auto from_environment = in.w.environment("TROUPE_API_ADDRESS").value_or("");
  if (in.has("api-address"))
    where_ = parse_endpoint(in.get<std::string>("api-address"), "--api-address");
  else if (!from_environment.empty())
    where_ = parse_endpoint(from_environment, "TROUPE_API_ADDRESS");
  else
    where_ = {"127.0.0.1", 8265};
  token_ = trimmed(in.w.environment("TROUPE_TOKEN").value_or(""));
  token_from_ = "TROUPE_TOKEN";
  if (token_.empty()) {
    const auto file = data_dir(in.has("data-dir") ? in.get<std::string>("data-dir") : "", in.w) / "token";
    token_from_ = file.string();
    std::string text;
    if (std::ifstream opened{file}; opened)
      std::getline(opened, text);
    token_ = trimmed(text);
  }
  if (!token_.empty() && !is_token(token_))
    throw failure{exit_code::usage, "the token in " + token_from_ + " is none: it has spaces or control characters"};
}

json api::send(std::string_view method, std::string_view path, const json& body,
               std::optional<std::uint64_t> if_revision) const {
  http_question question;
  question.method = method;
  question.target = std::string(prefix) + std::string(path);
  if (!token_.empty())
    question.headers.emplace_back("Authorization", "Bearer " + token_);
  if (if_revision)
    question.headers.emplace_back("If-Match", '"' + std::to_string(*if_revision) + '"');
  if (!body.is_null()) {
    question.headers.emplace_back("Content-Type", "application/json");
    question.body = body.dump(-1, ' ', false, json::error_handler_t::replace);
  }
  http_answer answer;
  try {
    answer = ask(where_, question, timeout_);
  } catch (const no_answer& e) {
    throw failure{exit_code::unreachable,
                  "no daemon answers at " + to_string(where_) + ": " + e.what() +
                      "\nstart one with `troupe serve`, or name its address with --api-address"};
  }
  if (answer.status < 200 || answer.status >= 300)
    refuse(answer, path);
  if (answer.body.empty())
    return json::object();
  auto result = json::parse(answer.body, nullptr, false);
  if (result.is_discarded())
    throw failure{exit_code::failed,
                  "what answers at " + to_string(where_) + " is no troupe daemon: its answer is not JSON"};
  return result;
}

void api::refuse(const http_answer& answer, std::string_view path) const {
  auto body = json::parse(answer.body, nullptr, false);
  const auto& error = part(body, "error");
  auto sentence = value_or<std::string>(error, "message", "");
  if (sentence.empty())
    sentence = "the daemon at " + to_string(where_) + " answered " + std::to_string(answer.status) + " to " +
               std::string(path);
  sentence += fields_of(error) + token_hint(answer.status);
  if (answer.status == 412)
    sentence +=
        "\nsomebody else changed it meanwhile; look with `troupe plan` or `troupe status`, then try again with the "
        "new revision";
  if (body.is_discarded() || error.empty())
    body = {{"error", {{"code", "http_" + std::to_string(answer.status)}, {"message", sentence}}}};
  throw api_error{code_for(answer.status), sentence, answer.status, std::move(body), json_output_};
}

std::string api::token_hint(unsigned status) const {
  if (status == 401)
    return "\nthe daemon wants its token; none is in " + token_from_ +
           ": name the daemon's data directory with --data-dir, or set TROUPE_TOKEN";
  if (status == 403)
    return "\nthe token from " + token_from_ + " was sent; is it that of another daemon? See --data-dir";
  return {};
}

std::string api::suggestion(const std::string& wanted) const {
  std::vector<std::string> names;
  try {
    const auto all = get("/applications");
    for (const auto& app : part(all, "applications")) {
      const auto name = value_or<std::string>(app, "name", "");
      names.push_back(name);
      for (const auto& d : part(app, "deployments")) {
        const deployment_path full{name, value_or<std::string>(d, "name", "")};
        names.push_back(full.shown());
        if (full.name == wanted) // the application was left out
          return "; did you mean \"" + full.shown() + "\"?";
      }
    }
  } catch (const failure&) {
    return {}; // the first refusal is the one to tell
  }
  return did_you_mean(wanted, {names.begin(), names.end()});
}

} // namespace troupe::cli
