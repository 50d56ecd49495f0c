// The nearest name by edit distance.
#include <troupe/actors/controller/suggest.hpp>

#include <algorithm>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::controller {

namespace {

constexpr std::size_t most_listed = 10;

// Levenshtein, in bytes.
std::size_t edits(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    auto diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const auto substituted = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j] + 1, row[j + 1] + 1, substituted});
    }
  }
  return row[b.size()];
}

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
    const auto distance = k.name == asked.name ? 0 : edits(name, k.full());
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
