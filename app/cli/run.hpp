// The program `troupe`: chooses the command and runs it.
#pragma once

#include <troupe/app/cli/world.hpp>

#include <string>
#include <vector>

namespace troupe::cli {

/// `arguments` without the program's name. Returns the exit code; throws nothing.
int run(const std::vector<std::string>& arguments, world& w);

} // namespace troupe::cli
