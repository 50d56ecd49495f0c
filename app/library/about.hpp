// Private to app/library: errors that begin with what they are about.
#pragma once

#include <troupe/actors/router/result.hpp>

#include <string>

namespace troupe::library {

inline error about(const std::string& name, const error& why) { return {why.code, name + ": " + why.message}; }
inline error about(const std::string& name, const std::string& why) { return {errc::invalid_spec, name + ": " + why}; }

} // namespace troupe::library
