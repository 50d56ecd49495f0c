// Reads workers' logs: the lines of several replicas in order of time, also while they are written and rotated.
#pragma once

#include <troupe/app/library/file.hpp>
#include <troupe/app/logs/line.hpp>

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::logs {

/// What to read. A value; an empty name means all.
struct query {
  std::filesystem::path data_dir;
  std::string application{};
  std::string deployment{}; ///< Needs an application.
  std::string replica{};
  std::string since{}; ///< As `time_text`; empty = from the start.
};

/// Confined to one thread. Reads what the files hold, asks nobody: it works on the logs of a daemon that is gone, too.
class reader {
public:
  /// Throws `std::system_error` when the data directory cannot be watched.
  explicit reader(query q);
  reader(const reader&) = delete;
  reader& operator=(const reader&) = delete;
  ~reader();

  /// All whole lines that came since the last call, without their ends, in order of time. Where a line is from is named
  /// by folders as they are (`file_name_of`). `f` returns false to break off. Returns how many there were.
  std::size_t read(const std::function<bool(const std::string& application, const std::string& deployment,
                                            std::string_view line)>& f);

  /// Blocks until something was written, or `stop` (a descriptor; -1 = none) is readable: then false.
  bool wait(int stop = -1) const;

private:
  struct source;
  void look();
  void look_at(const std::string& application, const std::string& deployment);
  void watch(const std::filesystem::path& folder) const;

  const query query_;
  library::descriptor events_;                                       ///< inotify.
  std::map<std::filesystem::path, std::unique_ptr<source>> sources_; ///< By the file that is written.
};

} // namespace troupe::logs
