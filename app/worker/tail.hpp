// The last lines of what a process writes, for the status.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <string>
#include <string_view>

namespace troupe::worker {

/// Keeps at most `max_lines` lines of at most `max_kept_bytes`. Confined to its thread.
class tail {
public:
  static constexpr std::size_t max_lines = 20;
  static constexpr std::size_t max_kept_bytes = 4096;
  static constexpr std::size_t max_line_bytes = 400; ///< That are told.

  void add(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto end = bytes.find('\n');
      const auto part = bytes.substr(0, end);
      open_.append(part.substr(0, max_kept_bytes - std::min(max_kept_bytes, open_.size())));
      if (end == std::string_view::npos)
        return;
      close_line();
      bytes.remove_prefix(end + 1);
    }
  }

  /// The lines, the unfinished one last, with '\n' between, each as `shown` has it and then cut; bytes that are no text
  /// are kept as they came.
  template <class F>
  std::string text(F shown) const {
    std::string out;
    const auto add = [&](const std::string& line) {
      out += (out.empty() ? "" : "\n") + shown(line).substr(0, max_line_bytes);
    };
    for (const auto& line : lines_)
      add(line);
    if (!open_.empty())
      add(open_);
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
