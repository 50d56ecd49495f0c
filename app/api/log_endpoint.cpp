// What workers of a deployment printed, bounded.
#include <troupe/app/api/endpoints.hpp>
#include <troupe/app/logs/reader.hpp>

#include <cstddef>
#include <deque>
#include <string>
#include <utility>

namespace troupe::api {

namespace {

constexpr std::size_t max_log_answer_bytes = std::size_t{8} << 20U;

} // namespace

response get_logs(const call_in& in) {
  logs::query query{.data_dir = in.about.data_dir,
                    .application = in.names.at("app"),
                    .deployment = in.names.at("dep"),
                    .replica = query_of(in.asked, "replica").value_or(""),
                    .since = since_of(in.asked)};
  const auto most = tail_of(in.asked);
  if (in.about.logs)
    in.about.logs->flush();
  std::deque<std::string> lines;
  std::size_t bytes = 0;
  logs::reader{query}.read([&](const auto&, const auto&, std::string_view line) {
    lines.emplace_back(line);
    bytes += line.size() + 1;
    while (lines.size() > most || bytes > max_log_answer_bytes) {
      bytes -= lines.front().size() + 1;
      lines.pop_front();
    }
    return true;
  });
  if (lines.empty())
    in.about.rt.status(in.deployment().full()); // throws when nobody knows it
  std::string text;
  text.reserve(bytes);
  for (const auto& line : lines)
    text.append(line).append(1, '\n');
  return response::text(200, std::move(text));
}

} // namespace troupe::api
