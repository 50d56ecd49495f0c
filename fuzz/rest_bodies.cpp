// libFuzzer's entry for what the REST API reads: target, If-Match, Last-Event-ID, body. Corpus: fuzz/corpus/rest.
//
// The first line is the request's line ("PUT /api/troupe/v1/applications/a?prune=1"), the second the value of If-Match
// and of Last-Event-ID (empty: none), the rest the body. Read below the socket, by what the endpoints read with.
#include "config_file.hpp"
#include <troupe/app/api/questions.hpp>
#include <troupe/app/http/target.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using namespace troupe;
using fuzz::require;

/// Whatever is refused has a status, a text, and fields that say what is allowed; all of it is JSON.
template <class F>
void ask(F question) {
  try {
    question();
  } catch (const api::problem_answer& e) {
    require(e.why.status == 400 && !e.why.code.empty() && !e.why.message.empty());
    for (const auto& f : e.why.fields)
      require(!f.allowed.empty());
    const auto answer = api::error_answer(e.why, e.more);
    require(answer.status == 400);
    const auto shown = json::parse(answer.body);
    require(shown.at("error").at("fields").size() == e.why.fields.size());
  }
}

std::string_view line_of(std::string_view& rest) {
  const auto line = rest.substr(0, rest.find('\n'));
  rest.remove_prefix(line.size() == rest.size() ? line.size() : line.size() + 1);
  return line;
}

} // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest{reinterpret_cast<const char*>(data), size};
  const auto first = line_of(rest);
  const auto second = line_of(rest);
  request x;
  x.method = std::string{first.substr(0, first.find(' '))};
  if (!http::read_target(first.substr(std::min(first.size(), x.method.size() + 1)), x))
    x.path = "/";
  if (!second.empty())
    x.headers = {{"If-Match", std::string{second}}, {"Last-Event-ID", std::string{second}}};
  x.body = std::string{rest};
  for (const auto* flag : {"prune", "replicas"})
    ask([&] { api::flag_of(x, flag); });
  ask([&] { api::query_of(x, "api_type"); });
  ask([&] { api::if_match_of(x); });
  ask([&] { api::event_id_of(x); });
  for (const auto* field : {"num_replicas", "target_num_replicas"})
    ask([&] {
      const auto scale = api::scale_of(x, field);
      require(scale.num_replicas <= max_num_replicas);
    });
  ask([&] {
    const auto rollout = api::rollout_of(x);
    require(rollout.action <= last_enumerator(rollout_action{}));
  });
  ask([&] {
    const auto read = api::config_of(x);
    require(config::read_json(read.document.as_given).ok());
  });
  ask([&] {
    const auto read = api::application_of(x, x.path.substr(x.path.rfind('/') + 1));
    fuzz::application(read.application);
  });
  return 0;
}
