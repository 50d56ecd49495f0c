// Destroys the user object of a replica that ended where no user code may run.
#pragma once

#include <troupe/actors/replica/code.hpp>
#include <troupe/actors/replica/user_code_border.hpp>

#include <memory>
#include <string>

namespace troupe::replica {

/// Hands `object` to the scheduler, which destroys it and then sends the replica's last word.
void reap(identity who, std::shared_ptr<const code> made_by, std::unique_ptr<instance> object, stop_reason reason,
          std::string message);

} // namespace troupe::replica
