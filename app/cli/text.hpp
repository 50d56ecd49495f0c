// Text for terminals: tables, widths, names and messages from elsewhere made harmless.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::cli {

/// Without control characters (line ends become " | "), so that no message moves the cursor.
std::string harmless(std::string_view text);

/// Characters, not bytes.
std::size_t width_of(std::string_view text);
/// At most `width` characters; what is cut off shows as "...".
std::string cut(std::string_view text, std::size_t width);

/// Rows of cells as columns; the first row is the head. Cells are made harmless, spaces at line ends left out.
std::string table(const std::vector<std::vector<std::string>>& rows);

/// "12.3 s", "4 min 5 s", "3 h 2 min", "5 d 1 h".
std::string duration_text(std::chrono::milliseconds x);
/// "1 replica", "2 replicas".
std::string count_text(std::size_t n, std::string_view what);

} // namespace troupe::cli
