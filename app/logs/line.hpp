// The form of workers' logs: names of files, and lines `2026-11-27T10:00:00.123Z r<revision> <replica> out|err <text>`.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::logs {

using time_point = std::chrono::system_clock::time_point;

enum class channel : std::uint8_t { out, err };

inline constexpr std::size_t time_length = 24; ///< Of "2026-11-27T10:00:00.123Z"; such texts sort as times do.
std::string time_text(time_point x);

inline constexpr const char* allowed_since = "a time ago (500ms, 30s, 10m, 2h, 1d) or a time as RFC 3339 writes it "
                                             "(2026-11-27T10:00:00Z)";
/// "10m" (ms, s, m, h, d) before `now`, or RFC 3339, as in "2026-11-27T10:00:00+01:00". Nothing when it is neither.
std::optional<time_point> parse_since(std::string_view text, time_point now);

/// With its line end. `text` is one line, of any bytes; what is no UTF-8 is replaced.
std::string format_line(time_point when, std::uint64_t revision, std::string_view replica, channel from,
                        std::string_view text);

/// A file's name for any name: letters, digits, '-', '_' and '.' within stay, other bytes become %XX; a long one is cut
/// and told apart by its digest.
std::string file_name_of(std::string_view name);

std::filesystem::path root_of(const std::filesystem::path& data_dir);
/// `<data>/logs/<application>/<deployment>`
std::filesystem::path folder_of(const std::filesystem::path& data_dir, std::string_view application,
                                std::string_view deployment);

inline constexpr const char* extension = ".log"; ///< Older ones have ".1", ".2" ... behind it.

} // namespace troupe::logs
