// Writer and reader side by side.
#include <troupe/app/library/crash_text.hpp>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <fstream>
#include <string>
#include <unistd.h>

namespace troupe::library {

namespace {

constexpr std::string_view first_line = "crash 1", last_line = "end";

template <class T>
T number(std::string_view text) {
  T value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

} // namespace

const char* name_of_signal(int signal) noexcept {
  switch (signal) {
  case SIGSEGV:
    return "SIGSEGV";
  case SIGBUS:
    return "SIGBUS";
  case SIGILL:
    return "SIGILL";
  case SIGFPE:
    return "SIGFPE";
  case SIGABRT:
    return "SIGABRT";
  case SIGSYS:
    return "SIGSYS";
  case SIGTRAP:
    return "SIGTRAP";
  default:
    return "signal";
  }
}

void crash_text::add(char c) noexcept {
  if (used_ < capacity - room_for_end)
    text_[used_++] = c;
}

void crash_text::add(std::string_view text) noexcept {
  for (const char c : text)
    add(c);
}

void crash_text::begin() noexcept {
  add('\n'); // ends a line that an earlier crash cut off
  add(first_line);
  add('\n');
}

void crash_text::field(std::string_view name, std::uint64_t value) noexcept {
  std::array<char, 20> digits{};
  auto at = digits.size();
  do {
    digits[--at] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value > 0);
  field(name, std::string_view{digits.data() + at, digits.size() - at});
}

void crash_text::field(std::string_view name, std::string_view value) noexcept {
  add(name);
  add(' ');
  for (const char c : value)
    add(static_cast<unsigned char>(c) < ' ' ? ' ' : c);
  add('\n');
}

void crash_text::end() noexcept {
  if (text_[used_ - 1] != '\n')
    text_[used_++] = '\n'; // in the room for the end
  for (const char c : last_line)
    text_[used_++] = c;
  text_[used_++] = '\n';
}

void crash_text::write_to(int fd) const noexcept {
  for (std::size_t done = 0; done < used_;) {
    const auto n = ::write(fd, text_.data() + done, used_ - done);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return;
    done += static_cast<std::size_t>(n);
  }
  ::fsync(fd);
}

std::vector<crash_record> read_crashes(const std::filesystem::path& file) {
  std::vector<crash_record> out;
  std::ifstream in{file};
  crash_record x;
  bool inside = false;
  for (std::string line; std::getline(in, line);) {
    if (line == first_line) {
      x = {};
      inside = true;
    } else if (line == last_line && inside) {
      out.push_back(std::move(x));
      x = {};
      inside = false;
    } else if (inside) {
      const auto space = std::min(line.find(' '), line.size());
      const auto name = line.substr(0, space), value = line.substr(std::min(space + 1, line.size()));
      if (name == "time")
        x.unix_ms = number<std::int64_t>(value);
      else if (name == "signal")
        x.signal = number<int>(value);
      else if (name == "revision")
        x.revision = number<std::uint64_t>(value);
      else if (name == "replica")
        x.replica = number<std::uint64_t>(value);
      else if (name == "cause")
        x.cause = value;
      else if (name == "what")
        x.what = value;
      else if (name == "deployment")
        x.deployment = value;
      else if (name == "digest")
        x.digest = value;
      else if (name == "text")
        x.text = value;
    }
  }
  return out;
}

} // namespace troupe::library
