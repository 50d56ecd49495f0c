#include <troupe/app/daemon/logs.hpp>
#include <troupe/messages/json_doc.hpp>

#include <array>
#include <chrono>
#include <ctime>
#include <iostream>
#include <stdexcept>

namespace troupe::daemon {

void log_lines::write(troupe::log_level level, std::string_view text) {
  constexpr std::array names{"debug", "info", "warning", "error"};
  const auto rank = static_cast<int>(level);
  if (rank < 3 - static_cast<int>(least_)) // ours counts from the other end: error, warning, info, debug
    return;
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm utc{};
  gmtime_r(&now, &utc);
  std::array<char, 32> time{};
  std::strftime(time.data(), time.size(), "%FT%TZ", &utc);
  const std::lock_guard guard{mutex_};
  std::cerr << time.data() << ' ' << names.at(static_cast<std::size_t>(rank)) << ' ' << text << '\n' << std::flush;
}

access_log::access_log(const std::string& where) {
  if (where == "-")
    out_ = stdout;
  else if (!(out_ = std::fopen(where.c_str(), "ae")))
    throw std::runtime_error("the access log " + where + " cannot be written");
}

access_log::~access_log() {
  if (out_ != stdout)
    std::fclose(out_);
}

void access_log::line(const ingress::access& x) {
  const json text{{"peer", x.peer},
                  {"method", x.method},
                  {"target", x.target},
                  {"request_id", x.request_id},
                  {"deployment", x.deployment ? x.deployment->full() : ""},
                  {"status", x.status},
                  {"outcome", to_string(x.how)},
                  {"body_bytes", x.body_bytes},
                  {"ms", static_cast<double>(x.took.count()) / 1e6}};
  const auto s = text.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  std::fwrite(s.data(), 1, s.size(), out_); // one call, one line, under stdio's lock
}

} // namespace troupe::daemon
