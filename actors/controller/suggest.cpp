// The nearest name by edit distance.
#include <troupe/actors/controller/suggest.hpp>
#include <troupe/messages/edit_distance.hpp>

#include <algorithm>
#include <optional>
#include <string>

namespace troupe::controller {

namespace {

constexpr std::size_t most_listed = 10;

std::string in_quotes(const std::string& text) { return '"' + text + '"'; }

} // namespace

error unknown_deployment(const deployment_name& asked, const std::vector<deployment_name>& known) {
  const auto name = asked.full();
  auto text = "no deployment is named " + in_quotes(name);
  if (known.empty())
    return {errc::unknown_deployment, text + "; none is deployed yet"};
  std::optional<std::string> nearest;
  auto fewest = std::max<std::size_t>(name.size() / 3, 1) + 1;
  for (const auto& k : known) {
    // One in another application under the same name is what was meant more often than a typing error.
    const auto distance = k.name == asked.name ? 0 : edit_distance(name, k.full());
    if (distance < fewest) {
      fewest = distance;
      nearest = k.full();
    }
  }
  if (nearest)
    text += "; did you mean " + in_quotes(*nearest) + "?";
  else
    text += ".";
  text += " There are: ";
  for (std::size_t i = 0; i < std::min(known.size(), most_listed); ++i)
    text += (i == 0 ? "" : ", ") + known[i].full();
  if (known.size() > most_listed)
    text += " and " + std::to_string(known.size() - most_listed) + " more";
  return {errc::unknown_deployment, text};
}

} // namespace troupe::controller
