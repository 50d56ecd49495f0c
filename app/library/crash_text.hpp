// The form of a crash record in its file: lines "name value" between "crash 1" and "end"; written without allocation.
#pragma once

#include <troupe/app/library/crash_recorder.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

namespace troupe::library {

/// "SIGSEGV"; a literal. Async-signal-safe.
const char* name_of_signal(int signal) noexcept;

/// One record being written. Async-signal-safe. What does not fit is left out; the end always fits.
class crash_text {
public:
  void begin() noexcept;
  void field(std::string_view name, std::uint64_t value) noexcept;
  /// Line breaks and other control characters become spaces.
  void field(std::string_view name, std::string_view value) noexcept;
  void end() noexcept;
  /// On the disk when this returns.
  void write_to(int fd) const noexcept;

private:
  void add(char c) noexcept;
  void add(std::string_view text) noexcept;

  static constexpr std::size_t capacity = 2048, room_for_end = 8;
  std::array<char, capacity> text_{};
  std::size_t used_ = 0;
};

/// As `crash_recorder::read`.
std::vector<crash_record> read_crashes(const std::filesystem::path& file);

} // namespace troupe::library
