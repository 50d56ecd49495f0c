// What the API's status objects say to people, and how a rollout stands.
#pragma once

#include <troupe/messages/json_doc.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace troupe::cli {

/// How far a deployment is with its target.
enum class outcome : std::uint8_t { pending, done, failed, paused };

/// Of a deployment object of the API. With `revision`, what came before it counts as pending, and another one that took
/// its place as failed. Room: a rollout that has ended with all replicas that there is room for is done; one that waits
/// is pending, since room may come; one whose replicas can never start on this machine has failed.
outcome outcome_of(const json& deployment, std::optional<std::uint64_t> revision = {});

/// `[APPLICATION/]NAME` of a deployment object.
std::string full_name(const json& deployment);
/// "wave 2 of 5: 4 of 10 done, 2 under way", "complete", "paused after the canary" ...
std::string rollout_text(const json& deployment);
/// "3 of 10 replicas wait for room", or nothing.
std::string room_text(const json& deployment);
/// Why it is as it is: the message of the deployment or of its rollout; may be empty.
std::string message_of(const json& deployment);

/// All applications as tables; with every replica where they are listed.
std::string status_text(const json& applications);

/// One character per replica, oldest first, at most `width`: `#` available and of the target, `o` available and
/// outdated, `~` reconfiguring, `+` starting, `-` stopping, `!` given up. With more replicas a character stands for
/// several.
std::string replica_row(const json& deployment, std::size_t width);

} // namespace troupe::cli
