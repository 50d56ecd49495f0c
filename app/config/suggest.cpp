// Edit distance over short words; two neighbours that changed places count as one edit.
#include <troupe/app/config/suggest.hpp>

#include <algorithm>
#include <cstddef>

namespace troupe::config {
namespace {

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i)
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        d[i][j] = i + j;
        continue;
      }
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  return d[a.size()][b.size()];
}

} // namespace

std::optional<std::string_view> closest(std::string_view word, const std::vector<std::string_view>& candidates) {
  constexpr std::size_t longest = 64;
  const std::size_t most = word.size() <= 3 ? 1 : 2;
  std::optional<std::string_view> best;
  auto best_distance = most + 1;
  if (word.empty() || word.size() > longest)
    return best;
  for (const auto candidate : candidates) {
    if (candidate.size() > word.size() + most || word.size() > candidate.size() + most)
      continue;
    if (const auto n = distance(word, candidate); n < best_distance && n < word.size()) {
      best_distance = n;
      best = candidate;
    }
  }
  return best;
}

} // namespace troupe::config
