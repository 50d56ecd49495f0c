// What a package may hold, checked entry by entry while it is read, and the digest of all of it.
#pragma once

#include <troupe/actors/router/result.hpp>
#include <troupe/app/library/file.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <vector>

namespace troupe::packages {

/// Bounds on one package. A value.
struct limits {
  std::uint64_t archive_bytes = std::uint64_t{1} << 30U;  ///< Of the archive itself.
  std::uint64_t unpacked_bytes = std::uint64_t{4} << 30U; ///< Of all files together.
  std::size_t files = 100'000;                            ///< Files, folders and links.
  std::uint64_t ratio = 200;                              ///< Unpacked bytes per byte of the archive, beyond 64 MiB.
  std::size_t path_bytes = 1024;                          ///< Of an entry's path, and of a link's target.
  std::size_t depth = 64;                                 ///< Folders in folders.
};

/// Where the contents go. Paths are clean ("a/b"), below the package's folder; parents come first, and links last, when
/// it is known that none of them leads out. A function that fails says why: the intake ends.
class sink {
public:
  virtual ~sink() = default;
  using failure = std::optional<error>;

  virtual failure folder(const std::string& path) = 0;
  virtual failure begin_file(const std::string& path, bool executable) = 0;
  virtual failure write(std::string_view bytes) = 0; ///< To the file that was begun last.
  virtual failure end_file() = 0;
  virtual failure same_file(const std::string& path, const std::string& of) = 0; ///< A hard link to an earlier file.
  virtual failure link(const std::string& path, const std::string& target) = 0;
};

/// What came in. A value.
struct contents {
  std::string digest; ///< Over sorted paths, kinds, executable bits, targets of links and contents.
  std::size_t entries = 0;
  std::uint64_t bytes = 0; ///< Of all files.
};

/// Takes the entries of one package. Confined to one thread; after a failure it must not be used any more. Failures are
/// `invalid_spec` and name the entry, what it is and what is allowed, or are those of the sink.
class intake {
public:
  using failure = std::optional<error>;
  intake(const limits& bounds, sink& to) : bounds_(bounds), to_(to) {}

  failure folder(std::string_view name);
  failure begin_file(std::string_view name, bool executable);
  failure write(std::string_view bytes); ///< To the file that was begun last.
  failure end_file();
  failure same_file(std::string_view name, std::string_view of); ///< A hard link; `of` is a file that was there before.
  failure link(std::string_view name, std::string_view target);  ///< A symbolic one.
  /// What is no file, folder or link: always a failure.
  failure other(std::string_view name, std::string_view what) const;

  /// Makes the links that were asked for.
  result<contents> finish();

private:
  enum class kind : char { folder = 'd', file = 'f', link = 'l' };
  struct entry {
    kind what = kind::folder;
    bool executable = false;
    bool named = true;   ///< Else a folder that is there only because something is in it.
    std::string content; ///< A file's digest, a link's target.
  };
  using tree = std::map<std::string, entry>;

  result<std::string> clean(std::string_view name) const;
  failure refuse(std::string_view name, const std::string& why) const;
  failure make_room(const std::string& path) const;
  failure add_parents(const std::string& path);
  result<tree::iterator> add(std::string_view name, kind what);
  failure follow(const std::string& path, const std::string& target) const;

  const limits bounds_;
  sink& to_;
  tree entries_;
  tree::iterator open_ = entries_.end();
  library::hasher hash_;
  std::uint64_t bytes_ = 0;
};

/// What became of reading a package's source.
struct source_read {
  std::optional<error> failed; ///< `invalid_spec`.
  bool changed = false;        ///< Something was written there meanwhile: what came in is not to be used.
};

/// Whether nothing was written between the two; by the change time, which nobody can set back.
bool same_state(const struct stat& a, const struct stat& b);

/// An entry's name for people: quoted, control characters escaped, what is no UTF-8 replaced.
std::string shown(std::string_view name);

} // namespace troupe::packages
