// Writes what workers print to files, bounded in every way, on a thread of its own.
//
//   <data>/logs/<application>/<deployment>/<replica>.log, .log.1 (older), .log.2 ...
#pragma once

#include <troupe/app/logs/line.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace troupe::logs {

/// A value.
struct options {
  std::filesystem::path data_dir;
  std::uint64_t file_bytes = std::uint64_t{10} << 20U; ///< Of one file; then it is rotated.
  std::size_t files = 3;                               ///< Of one replica, the one that is written included; >= 1.
  std::uint64_t deployment_bytes = std::uint64_t{100} << 20U; ///< Of all files of one deployment; the oldest go first.
  std::size_t deployment_files = 200;                         ///< Likewise.
  std::size_t waiting_bytes = std::size_t{1} << 20U; ///< Of one worker, not written yet; beyond it lines are lost.
  std::function<std::string(std::string)> shown{};   ///< Whole lines as they may be written; as they are unless given.
  std::function<time_point()> now{};                 ///< The system's clock unless given; any thread.
};

inline constexpr std::size_t max_line_bytes = std::size_t{16} << 10U; ///< Longer ones are split.

struct worker_state; // writer.cpp

/// What one worker prints. `take` and `end` by one thread at a time, the rest by any. May outlive its writer: then what
/// comes is lost.
class worker_log {
public:
  explicit worker_log(std::shared_ptr<worker_state> s) : state_(std::move(s)) {}
  worker_log(const worker_log&) = delete;
  worker_log& operator=(const worker_log&) = delete;
  ~worker_log() { end(); }

  /// Bytes as they come, lines in any pieces. Never waits for a disk.
  void take(channel from, std::string_view bytes);
  /// The worker prints no more; what has no line end is its last line. Twice is once.
  void end();

  /// Lines that were lost: they came faster than they could be written, or the disk took no more. The log says so where
  /// it goes on.
  std::uint64_t lost() const;

private:
  std::shared_ptr<worker_state> state_;
};

/// Thread-safe. One per data directory, in one process.
class writer {
public:
  explicit writer(options o);
  writer(const writer&) = delete;
  writer& operator=(const writer&) = delete;
  ~writer(); ///< Writes what waits.

  /// A log that begins, or goes on: `replica` is the file's name.
  std::unique_ptr<worker_log> open(const std::string& application, const std::string& deployment,
                                   const std::string& replica, std::uint64_t revision);

  /// Returns when all that was taken before is written, or lost.
  void flush();

private:
  class impl;
  std::shared_ptr<impl> impl_;
};

} // namespace troupe::logs
