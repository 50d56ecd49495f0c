// How the process before this one ended, as far as the data directory tells.
#pragma once

#include <troupe/app/library/crash_recorder.hpp>
#include <troupe/app/storage/database.hpp>

#include <string>
#include <vector>

namespace troupe::daemon {

/// Notes durably that a process runs. Returns what an operator should know when the last one neither stopped nor left a
/// crash record (killed, or without power); empty otherwise. `on_trial`: what ran without having proved itself.
std::string begin_process(storage::database& db, const std::vector<library::crash_record>& crashes,
                          const std::vector<deployment_name>& on_trial);
/// Notes that it ends by its own will.
void end_process(storage::database& db);

} // namespace troupe::daemon
