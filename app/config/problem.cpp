// The one-line form of problems.
#include <troupe/app/config/problem.hpp>

namespace troupe::config {

std::string to_string(const problem& x) {
  std::string result = x.file;
  if (x.line != 0)
    result += (result.empty() ? "line " : ":") + std::to_string(x.line) + ':' + std::to_string(x.column);
  if (!result.empty())
    result += ": ";
  if (!x.path.empty())
    result += x.path + ": ";
  if (x.value.empty())
    return result + x.allowed;
  return result + x.value + " is not allowed; expected " + x.allowed;
}

std::string to_string(const std::vector<problem>& problems) {
  std::string result;
  for (const auto& p : problems) {
    if (!result.empty())
      result += '\n';
    result += to_string(p);
  }
  return result;
}

} // namespace troupe::config
