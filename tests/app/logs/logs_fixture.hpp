// A data directory with logs, and a clock that the test moves.
#pragma once

#include <troupe/app/logs/reader.hpp>
#include <troupe/app/logs/writer.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fixtures/files.hpp>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::test {

struct logs_fixture {
  explicit logs_fixture(logs::options o = {}) : asked(std::move(o)) {
    asked.data_dir = folder.path();
    asked.now = [this] { return logs::time_point{std::chrono::milliseconds{ms.load()}}; };
  }

  std::filesystem::path file(const std::string& replica = "1", const std::string& more = "") const {
    return logs::folder_of(folder.path(), "app", "dep") / (replica + ".log" + more);
  }
  std::string text(const std::string& replica = "1", const std::string& more = "") const {
    return read_whole(file(replica, more));
  }
  std::uint64_t bytes_on_disk() const {
    std::uint64_t out = 0;
    for (const auto& x : std::filesystem::recursive_directory_iterator{folder.path()})
      out += x.is_regular_file() ? x.file_size() : 0;
    return out;
  }
  logs::query all() const { return {.data_dir = folder.path()}; }
  static std::vector<std::string> lines_of(logs::reader& from) {
    std::vector<std::string> out;
    from.read([&](const std::string&, const std::string&, std::string_view line) {
      out.emplace_back(line);
      return true;
    });
    return out;
  }

  temporary_folder folder;
  /// 2026-11-27T10:00:00.000Z
  std::atomic<std::int64_t> ms{1'795'773'600'000};
  logs::options asked;
};

inline bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

} // namespace troupe::test
