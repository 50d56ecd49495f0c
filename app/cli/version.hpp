// The version of this build.
#pragma once

#include <string>

namespace troupe {

std::string program_version(); ///< "0.1.0"
std::string caf_version();     ///< "0.17.6"

} // namespace troupe
