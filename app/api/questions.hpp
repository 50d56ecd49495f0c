// What a request asks for: its body, query and If-Match, read and checked before anything is done.
#pragma once

#include <troupe/app/config/document.hpp>
#include <troupe/app/daemon/refusal.hpp>
#include <troupe/messages/control.hpp>
#include <troupe/messages/http.hpp>

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::api {

/// Thrown where a request cannot be done: the error that is answered.
struct problem_answer : std::runtime_error {
  explicit problem_answer(daemon::refusal r, json more_of_it = json::object())
      : std::runtime_error(r.message), why(std::move(r)), more(std::move(more_of_it)) {}
  daemon::refusal why;
  json more; ///< Members beside "error", for what was done nevertheless.
};

struct scale_question {
  std::uint32_t num_replicas = 0;
  std::vector<std::string> warnings; ///< Names of the body that nobody knows.
};

struct rollout_question {
  rollout_action action = rollout_action::pause;
  std::uint64_t revision = 0; ///< 0 = not said.
  std::vector<std::string> warnings;
};

/// The value of a query's member, decoded: "true" for one without a value, nothing for none. Throws `problem_answer`.
std::optional<std::string> query_of(const request& x, std::string_view key);
/// Of a flag: true, 1, false, 0, or not there. Throws `problem_answer`.
bool flag_of(const request& x, std::string_view key);
/// `If-Match: 7` or `"7"`. Throws `problem_answer` for what is no revision, several of them, or an empty one.
std::optional<std::uint64_t> if_match_of(const request& x);
/// `?after=ID`, else `Last-Event-ID`. Throws `problem_answer`.
std::optional<std::uint64_t> event_id_of(const request& x);

/// `?tail=N`, 1000 unless given. Throws `problem_answer`.
std::size_t tail_of(const request& x);
/// `?since=10m` or a time, as `logs::time_text`; empty for none. Throws `problem_answer`.
std::string since_of(const request& x);

/// The body, which must be a JSON object. All of these throw `problem_answer`, with every fault.
json body_of(const request& x);
config::document_result config_of(const request& x);
config::application_result application_of(const request& x, std::string_view called);
/// `{"<field>": n}`
scale_question scale_of(const request& x, std::string_view field);
/// `{"action": "...", "revision": n}`
rollout_question rollout_of(const request& x);

response as_json(const json& x, std::uint16_t status = 200);
/// An error in the form of our API.
response error_answer(const daemon::refusal& why, json more = json::object());

} // namespace troupe::api
