// The last lines of what a process writes, for the status.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <string>
#include <string_view>

namespace troupe::worker {

/// Keeps at most `max_lines` lines of at most `max_line_bytes`. Confined to its thread.
class tail {
public:
  static constexpr std::size_t max_lines = 20;
  static constexpr std::size_t max_line_bytes = 400;

  void add(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto end = bytes.find('\n');
      const auto part = bytes.substr(0, end);
      open_.append(part.substr(0, max_line_bytes - std::min(max_line_bytes, open_.size())));
      if (end == std::string_view::npos)
        return;
      close_line();
      bytes.remove_prefix(end + 1);
    }
  }

  /// The lines, the unfinished one last, with '\n' between; bytes that are no text are kept as they came.
  std::string text() const {
    std::string out;
    for (const auto& line : lines_)
      out += (out.empty() ? "" : "\n") + line;
    if (!open_.empty())
      out += (out.empty() ? "" : "\n") + open_;
    return out;
  }

private:
  void close_line() {
    lines_.push_back(std::move(open_));
    open_.clear();
    if (lines_.size() > max_lines)
      lines_.pop_front();
  }

  std::deque<std::string> lines_;
  std::string open_;
};

} // namespace troupe::worker
