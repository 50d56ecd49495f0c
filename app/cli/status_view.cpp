// Reads the API's status objects leniently: what is missing counts as nothing.
#include <troupe/app/cli/api.hpp>
#include <troupe/app/cli/status_view.hpp>
#include <troupe/app/cli/text.hpp>
#include <troupe/messages/status.hpp>

#include <algorithm>
#include <cmath>

namespace troupe::cli {
namespace {

std::uint64_t number(const json& object, const char* key) { return value_or<std::uint64_t>(object, key, 0); }
std::string text(const json& object, const char* key) { return value_or<std::string>(object, key, ""); }

std::string seconds_text(const json& object, const char* key) {
  return duration_text(std::chrono::milliseconds{std::llround(value_or<double>(object, key, 0.0) * 1000)});
}

// "10/10", and what is going on beside it.
std::string counts(const json& d) {
  auto result = std::to_string(number(d, "available")) + '/' + std::to_string(number(d, "num_replicas"));
  constexpr std::pair<const char*, const char*> others[] = {{"starting", "starting"},
                                                            {"reconfiguring", "reconfiguring"},
                                                            {"stopping", "stopping"},
                                                            {"given_up", "given up"},
                                                            {"waiting_for_room", "without room"}};
  for (const auto& [key, what] : others)
    if (const auto n = number(d, key))
      result += ", " + std::to_string(n) + ' ' + what;
  return result;
}

void add_replicas(const json& d, std::string& to) {
  const auto& replicas = part(d, "replicas");
  if (replicas.empty())
    return;
  std::vector<std::vector<std::string>> rows{
      {"REPLICA", "VERSION", "REVISION", "CONFIG", "STATE", "NODE", "FOR", "RESTARTS", "ONGOING"}};
  for (const auto& r : replicas)
    rows.push_back({std::to_string(number(r, "id")), text(r, "version"), std::to_string(number(r, "revision")),
                    std::to_string(number(r, "config_revision")),
                    text(r, "state") + (value_or(r, "given_up", false) ? " (given up)" : ""), text(r, "node"),
                    seconds_text(r, "since_s"), std::to_string(number(r, "restarts")),
                    std::to_string(number(r, "ongoing"))});
  to += "\nReplicas of " + harmless(full_name(d)) + "\n" + table(rows);
}

// Whether a replica is of what the rollout leads to. A rollout that goes back leads to the base, any other one away
// from it; revisions that only changed options in between are no replica's.
bool is_of_target(const json& replica, const json& rollout) {
  const auto base = number(rollout, "base_revision");
  const auto newest = std::max(number(replica, "revision"), number(replica, "config_revision"));
  if (text(rollout, "phase") == "complete" || newest >= number(rollout, "target_revision"))
    return true;
  return value_or(rollout, "rolling_back", false) == (newest == base);
}

char symbol(const json& replica, const json& deployment) {
  const auto state = text(replica, "state");
  if (value_or(replica, "given_up", false))
    return '!';
  if (state == "STARTING" || state == "RECOVERING" || state == "PENDING_MIGRATION")
    return '+';
  if (state == "UPDATING")
    return '~';
  if (state == "STOPPING" || state == "STOPPED")
    return '-';
  return is_of_target(replica, part(deployment, "rollout")) ? '#' : 'o';
}

bool is_quiet(const json& d) {
  return number(d, "starting") == 0 && number(d, "reconfiguring") == 0 && number(d, "stopping") == 0;
}

// Nothing that ends can make room: one replica asks for more than the machine has. The API says that in its message
// (room.cpp of deployment_state writes it) and nowhere else.
bool can_never_start(const json& d) {
  const bool waits = number(d, "waiting_for_room") > 0 ||
                     text(part(d, "rollout"), "reason") == to_string(rollout_reason::waiting_for_room);
  return waits && is_quiet(d) && text(d, "message").find("it can never start here") != std::string::npos;
}

// Ended, and all that there is room for are available; the runtime's `is_settled` says the same.
bool is_whole(const json& d) {
  const auto state = text(d, "state");
  if (text(part(d, "rollout"), "phase") != "complete")
    return false;
  const auto available = number(d, "available");
  const auto waiting = number(d, "waiting_for_room");
  return state == "HEALTHY" || (state == "UPSCALING" && is_quiet(d) && available > 0 && waiting > 0 &&
                                available + waiting >= number(d, "num_replicas"));
}

} // namespace

std::string full_name(const json& deployment) {
  return deployment_path{text(deployment, "application"), text(deployment, "name")}.shown();
}

outcome outcome_of(const json& deployment, std::optional<std::uint64_t> revision) {
  const auto& rollout = part(deployment, "rollout");
  const auto state = text(deployment, "state");
  const auto phase = text(rollout, "phase");
  const auto target = number(rollout, "target_revision");
  const bool is_stuck = can_never_start(deployment);
  const bool moves = (phase == "rolling" || phase == "baking") && !is_stuck;
  if (revision && target < *revision) // it was the target when it was acknowledged: it is being taken back, or was
    return moves || state == "PAUSED" ? outcome::pending : outcome::failed;
  if (state == "PAUSED")
    return outcome::paused;
  if (state == "DEPLOY_FAILED")
    return moves && value_or(rollout, "rolling_back", false) ? outcome::pending : outcome::failed;
  const bool held = number(deployment, "num_replicas") == 0 && number(deployment, "stopping") == 0;
  if (is_whole(deployment) || (moves && held))
    return revision && target > *revision ? outcome::failed : outcome::done;
  return is_stuck ? outcome::failed : outcome::pending;
}

std::string room_text(const json& deployment) {
  const auto n = number(deployment, "waiting_for_room");
  return n == 0 ? ""
                : std::to_string(n) + " of " + std::to_string(number(deployment, "num_replicas")) +
                      (n == 1 ? " replicas waits for room" : " replicas wait for room");
}

std::string rollout_text(const json& deployment) {
  const auto& rollout = part(deployment, "rollout");
  const auto phase = text(rollout, "phase");
  const auto reason = text(rollout, "reason");
  const bool has_reason = !reason.empty() && reason != "none";
  if (phase == "complete") {
    const auto room = room_text(deployment);
    return "complete, revision " + std::to_string(number(rollout, "target_revision")) +
           (room.empty() ? "" : ", " + room);
  }
  std::string result = value_or(rollout, "rolling_back", false) ? "rolling back, " : "";
  if (number(rollout, "wave") > 0)
    result +=
        "wave " + std::to_string(number(rollout, "wave")) + " of " + std::to_string(number(rollout, "waves")) + ", ";
  result +=
      std::to_string(number(rollout, "done")) + " of " + std::to_string(number(deployment, "num_replicas")) + " done";
  if (const auto n = number(rollout, "in_flight"))
    result += ", " + std::to_string(n) + " under way";
  if (has_reason)
    result += ", " + reason;
  else if (phase == "paused" || phase == "failed")
    result += ", " + phase;
  return result;
}

std::string message_of(const json& deployment) {
  const auto message = text(deployment, "message");
  return message.empty() ? text(part(deployment, "rollout"), "message") : message;
}

std::string status_text(const json& applications) {
  if (applications.empty())
    return "Nothing is deployed. `troupe deploy FILE` changes that.\n";
  std::vector<std::vector<std::string>> apps{{"APPLICATION", "STATE", "ROUTE", "REVISION", "CODE", "MESSAGE"}};
  std::vector<std::vector<std::string>> deployments{
      {"DEPLOYMENT", "STATE", "READY", "ROLLOUT", "QUEUED", "ONGOING", "MESSAGE"}};
  std::string replicas;
  for (const auto& a : applications) {
    const auto route = text(a, "route_prefix");
    apps.push_back({text(a, "name"), text(a, "state"), route.empty() ? "-" : route,
                    std::to_string(number(a, "revision")), text(a, "import_path"), text(a, "message")});
    for (const auto& d : part(a, "deployments")) {
      deployments.push_back({full_name(d), text(d, "state") + (value_or(d, "deleting", false) ? ", deleting" : ""),
                             counts(d), rollout_text(d), std::to_string(number(d, "queued")),
                             std::to_string(number(d, "ongoing")), message_of(d)});
      add_replicas(d, replicas);
    }
  }
  return table(apps) + (deployments.size() > 1 ? '\n' + table(deployments) : "") + replicas;
}

std::string replica_row(const json& deployment, std::size_t width) {
  const auto& replicas = part(deployment, "replicas");
  const auto n = replicas.size();
  if (n <= width) {
    std::string result;
    for (const auto& r : replicas)
      result += symbol(r, deployment);
    return result;
  }
  // N = 1000 on 100 columns: each character is the most telling of its ten.
  constexpr std::string_view telling = "!~+-o#";
  std::string result(width, '#');
  for (std::size_t i = 0; i < n; ++i) {
    auto& at = result[i * width / n];
    if (const auto c = symbol(replicas[i], deployment); telling.find(c) < telling.find(at))
      at = c;
  }
  return result;
}

} // namespace troupe::cli
