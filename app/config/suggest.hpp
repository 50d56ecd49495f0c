// "Did you mean": the closest of some words.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace troupe::config {

/// The candidate that is at most two edits (for words of up to three letters one) away from `word`, the nearest and
/// first such one. Words above 64 bytes have none.
std::optional<std::string_view> closest(std::string_view word, const std::vector<std::string_view>& candidates);

} // namespace troupe::config
