#include <troupe/app/daemon/last_process.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace troupe::daemon {

namespace {

constexpr const char* kind = "process";
constexpr const char* key = "last";

} // namespace

std::string begin_process(storage::database& db, const std::vector<library::crash_record>& crashes,
                          const std::vector<deployment_name>& on_trial) {
  using namespace std::chrono;
  const auto last = db.find(kind, key);
  db.write_now({{kind,
                 key,
                 {{"started_ms", duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count()},
                  {"clean", false}}}});
  if (!last.is_object() || last.value("clean", true))
    return {};
  const auto started = last.value("started_ms", std::int64_t{0});
  if (std::any_of(crashes.begin(), crashes.end(), [&](const auto& c) { return c.unix_ms >= started; }))
    return {};
  std::string text = "the last process was killed or lost its power: it neither stopped nor left a record of a crash";
  for (std::size_t i = 0; i < on_trial.size(); ++i)
    text += (i == 0 ? "; on trial then, and not blamed for it: " : ", ") + on_trial[i].full();
  return text;
}

void end_process(storage::database& db) { db.write_now({{kind, key, {{"clean", true}}}}); }

} // namespace troupe::daemon
