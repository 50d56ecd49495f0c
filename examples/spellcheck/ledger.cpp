// Checks answers.
#include "ledger.hpp"

#include <algorithm>

namespace spellcheck {

promise ledger::sent() {
  sent_.fetch_add(1, std::memory_order_relaxed);
  return {version_.load(), edition_.load()};
}

void ledger::answered(const page& about, promise owed, const spelling& answer) {
  answered_.fetch_add(1, std::memory_order_relaxed);
  by_version_[answer.version & 3].fetch_add(1, std::memory_order_relaxed);
  if (answer.version < owed.version)
    return wrong(about, "version " + std::to_string(answer.version) + " answered after version " +
                            std::to_string(owed.version) + " was rolled out");
  if (answer.version > 2)
    return wrong(about, "the broken version answered");
  if (answer.edition < owed.edition)
    return wrong(about, "the personal dictionary was not used after it was rolled out");
  const auto& expected = about.unknown[std::clamp(answer.edition, 0, 1)];
  if (answer.words != about.words || answer.unknown != expected)
    return wrong(about, std::to_string(answer.unknown.size()) + " unknown words of " + std::to_string(answer.words) +
                            " instead of " + std::to_string(expected.size()) + " of " + std::to_string(about.words));
  if (answer.version < 2 && !answer.suggestions.empty())
    return wrong(about, "version 1 made suggestions");
  if (!answer.suggestions.empty() && !answer.suggestions.back().instead.empty()) {
    const auto& last = answer.suggestions.back();
    std::unique_lock lock(mutex_, std::try_to_lock); // only for show
    if (lock)
      suggestion_ = last.word + " -> " + last.instead.front();
  }
}

void ledger::failed(const troupe::error& why) {
  failed_.fetch_add(1, std::memory_order_relaxed);
  const std::scoped_lock lock(mutex_);
  ++failures_[troupe::to_string(why)];
}

std::vector<std::string> ledger::complaints() const {
  const std::scoped_lock lock(mutex_);
  std::vector<std::string> lines;
  if (!first_wrong_.empty())
    lines.push_back("first wrong answer: " + first_wrong_);
  for (const auto& [why, count] : failures_)
    lines.push_back(std::to_string(count) + " requests failed: " + why);
  return lines;
}

std::string ledger::last_suggestion() const {
  const std::scoped_lock lock(mutex_);
  return suggestion_;
}

void ledger::wrong(const page& about, std::string why) {
  wrong_.fetch_add(1, std::memory_order_relaxed);
  const std::scoped_lock lock(mutex_);
  if (first_wrong_.empty())
    first_wrong_ = why + " (page \"" + about.text.substr(0, 40) + "...\")";
}

} // namespace spellcheck
