// Makes the dynamic linker's complaints readable.
#pragma once

#include <string>

namespace troupe::library {

/// `text` is dlerror()'s about a copy at `copy`: what is wrong and what to do, without the copy's path.
std::string explained(const std::string& text, const std::string& copy);

} // namespace troupe::library
