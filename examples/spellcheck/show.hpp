// Shows what happens while it happens: drawn in a terminal, or as plain lines.
#pragma once

#include "ledger.hpp"
#include "witness.hpp"

#include <memory>

namespace spellcheck {

/// Confined to the main thread.
class show {
public:
  virtual ~show() = default;
  /// Some ten times a second.
  virtual void tick(const troupe::deployment_status& status) = 0;
  /// Leaves the terminal as it was; what is printed later comes below.
  virtual void finish() = 0;
};

/// How many requests were answered per second of late.
class rate_meter {
public:
  /// Updated about once a second.
  double update(std::uint64_t answered, seconds now);

private:
  std::uint64_t answered_ = 0;
  seconds at_{0};
  double rate_ = 0;
};

/// "12.34"; of a second.
std::string in_seconds(seconds time);
/// "1,234,567"
std::string grouped(std::uint64_t n);

/// Draws in place, in colours unless NO_COLOR is set.
std::unique_ptr<show> make_live_show(const witness& seen, const ledger& book, std::string title);
/// A line per event, and one with figures per second.
std::unique_ptr<show> make_plain_show(const witness& seen, const ledger& book, std::string title);

} // namespace spellcheck
