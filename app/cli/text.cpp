// Columns and durations.
#include <troupe/app/cli/text.hpp>

#include <algorithm>

namespace troupe::cli {
namespace {

bool begins_character(char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }

} // namespace

std::string harmless(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r'))
    text.remove_suffix(1);
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool is_c1 = c == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (c == '\n')
      result += " | ";
    else if (c == '\t')
      result += ' ';
    else if (c < 0x20 || c == 0x7F)
      result += '?';
    else if (is_c1) {
      result += '?';
      ++i;
    } else
      result += text[i];
  }
  return result;
}

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins_character));
}

std::string cut(std::string_view text, std::size_t width) {
  if (width_of(text) <= width)
    return std::string(text);
  constexpr std::string_view dots = "...";
  const auto kept = width > dots.size() ? width - dots.size() : 0;
  std::size_t characters = 0;
  std::size_t end = 0;
  for (; end < text.size(); ++end)
    if (begins_character(text[end]) && characters++ == kept)
      break;
  return std::string(text.substr(0, end)).append(dots.substr(0, std::min(width, dots.size())));
}

std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::vector<std::string>> cells;
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    auto& to = cells.emplace_back();
    for (const auto& cell : row) {
      to.push_back(harmless(cell));
      widths.resize(std::max(widths.size(), to.size()));
      widths[to.size() - 1] = std::max(widths[to.size() - 1], width_of(to.back()));
    }
  }
  std::string result;
  for (const auto& row : cells) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i)
      line += row[i] + std::string(widths[i] - width_of(row[i]) + 2, ' ');
    line.erase(line.find_last_not_of(' ') + 1);
    result += line + '\n';
  }
  return result;
}

std::string duration_text(std::chrono::milliseconds x) {
  const auto seconds = x.count() / 1000;
  const auto pair = [](auto a, const char* unit, auto b, const char* small) {
    return std::to_string(a) + unit + std::to_string(b) + small;
  };
  if (seconds < 60)
    return std::to_string(seconds) + '.' + std::to_string(x.count() % 1000 / 100) + " s";
  if (seconds < 3600)
    return pair(seconds / 60, " min ", seconds % 60, " s");
  if (seconds < 86400)
    return pair(seconds / 3600, " h ", seconds % 3600 / 60, " min");
  return pair(seconds / 86400, " d ", seconds % 86400 / 3600, " h");
}

std::string count_text(std::size_t n, std::string_view what) {
  return std::to_string(n) + ' ' + std::string(what) + (n == 1 ? "" : "s");
}

} // namespace troupe::cli
