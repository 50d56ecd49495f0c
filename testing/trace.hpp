// What happened in a simulation: a digest always, readable lines on request.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>

namespace troupe::testing {

/// Confined to its world. A run whose digest is all that is wanted pays a few instructions per step.
class trace {
public:
  /// Keeps the last `lines` lines; 0 = none, `line` does nothing.
  void keep(std::size_t lines) { kept_ = lines; }
  bool recording() const noexcept { return kept_ > 0; }

  /// Adds one fact to the digest.
  void mix(std::uint64_t fact) noexcept { digest_ = (digest_ ^ fact) * 0x100000001b3U + (digest_ >> 47); }
  std::uint64_t digest() const noexcept { return digest_; }

  /// Adds the line that `text()` gives, with the virtual time in front.
  template <class F>
  void line(std::chrono::nanoseconds now, F&& text) {
    if (kept_ > 0)
      add(now, std::forward<F>(text)());
  }
  const std::deque<std::string>& lines() const { return lines_; }
  /// The last `count` lines, one below the other.
  std::string tail(std::size_t count) const;

private:
  void add(std::chrono::nanoseconds now, std::string text);

  std::uint64_t digest_ = 0xcbf29ce484222325U;
  std::size_t kept_ = 0;
  std::uint64_t number_ = 0;
  std::deque<std::string> lines_;
};

} // namespace troupe::testing
