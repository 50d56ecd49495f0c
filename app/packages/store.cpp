// Everything goes to a temporary sibling first and is renamed when it is whole and on the disk.
#include <troupe/app/library/import_path.hpp>
#include <troupe/app/packages/archive.hpp>
#include <troupe/app/packages/folder.hpp>
#include <troupe/app/packages/store.hpp>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <fcntl.h>
#include <stdexcept>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace troupe::packages {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view temporary_prefix = "new-";

error about(const std::string& package, const error& why) { return {why.code, package + ": " + why.message}; }

bool is_digest(const std::string& x) {
  constexpr std::size_t digits = 64;
  return x.size() == digits && x.find_first_not_of("0123456789abcdef") == std::string::npos;
}

/// Removed with all that is in it unless it was renamed.
class temporary {
public:
  explicit temporary(fs::path at) : at_(std::move(at)) {}
  temporary(const temporary&) = delete;
  temporary& operator=(const temporary&) = delete;
  ~temporary() {
    std::error_code none;
    if (fs::exists(fs::symlink_status(at_, none)))
      remove_folder(at_);
  }
  const fs::path& path() const noexcept { return at_; }

private:
  fs::path at_;
};

} // namespace

package_store::package_store(options o) : options_(std::move(o)), dir_(options_.data_dir / "packages") {
  for (const auto& x :
       library::open_store(dir_, [](const std::string& name) { return name.starts_with(temporary_prefix); }))
    remove_folder(x);
}

limits package_store::bounds() const {
  limits x;
  x.archive_bytes = options_.max_archive_bytes;
  x.unpacked_bytes = options_.max_unpacked_bytes;
  x.files = options_.max_files;
  return x;
}

fs::path package_store::new_name() const {
  static std::atomic<std::uint64_t> numbers{0};
  return dir_ / (std::string{temporary_prefix} + std::to_string(::getpid()) + "-" + std::to_string(++numbers));
}

result<contents> package_store::copy(int from, const fs::path& to, bool& changed) const {
  struct stat about {};
  if (::fstat(from, &about) != 0)
    return error{errc::invalid_spec, "cannot be read: " + library::text_of_errno(errno)};
  if (!S_ISDIR(about.st_mode) && !S_ISREG(about.st_mode))
    return error{errc::invalid_spec, "is neither a file nor a folder; a package is a folder or a .tar.gz"};
  folder_sink written{to};
  if (const auto why = written.begin())
    return *why;
  const auto limit = bounds();
  intake in{limit, written};
  const auto read = S_ISDIR(about.st_mode) ? read_folder(from, in) : read_archive(from, limit, in);
  changed = read.changed;
  if (changed) // which may be why it failed
    return error{errc::invalid_spec, "changes while it is copied; deploy it again when it is written"};
  if (read.failed)
    return *read.failed;
  auto out = in.finish();
  if (out)
    if (const auto why = written.finish())
      return *why;
  return out;
}

result<stored_package> package_store::put(const std::string& package) {
  if (package.empty() || package.find('\0') != std::string::npos)
    return error{errc::invalid_spec, "package " + shown(package) + ": must be the path of a folder or a .tar.gz"};
  const auto found = library::find_any(package, options_.code_dirs);
  if (!found)
    return found.why();
  constexpr int attempts = 3;
  for (int i = 1;; ++i) {
    const temporary to{new_name()};
    bool changed = false;
    const auto in = copy(found->open.get(), to.path(), changed);
    if (changed && i < attempts)
      continue; // somebody writes it
    if (!in)
      return about(package, in.why());
    if (const auto why = publish(to.path(), in->digest))
      return about(package, *why);
    return stored_package{in->digest, package, found->path, folder_of(in->digest), in->entries, in->bytes};
  }
}

std::optional<error> package_store::publish(const fs::path& from, const std::string& digest) {
  const auto failed = [&](const char* what) {
    return error{errc::unavailable, what + folder_of(digest).string() + ": " + library::text_of_errno(errno)};
  };
  const std::lock_guard one{publishing_};
  const temporary damaged{new_name()};
  if (const library::descriptor there{::open(folder_of(digest).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)}) {
    null_sink nowhere;
    intake in{bounds(), nowhere};
    const auto read = read_folder(there.get(), in);
    const auto known = read.failed ? result<contents>{*read.failed} : in.finish();
    if (known && known->digest == digest)
      return std::nullopt;
    if (::rename(folder_of(digest).c_str(), damaged.path().c_str()) != 0)
      return failed("cannot replace the damaged copy ");
  }
  if (::rename(from.c_str(), folder_of(digest).c_str()) != 0)
    return failed("cannot rename to ");
  const library::descriptor dir{::open(dir_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  return dir && ::fsync(dir.get()) == 0 ? std::nullopt : std::optional{failed("cannot sync the folder of ")};
}

bool package_store::contains(const std::string& digest) const {
  std::error_code none;
  return is_digest(digest) && fs::is_directory(fs::symlink_status(folder_of(digest), none));
}

std::size_t package_store::keep_only(const std::set<std::string>& digests) {
  std::vector<fs::path> others;
  std::error_code why;
  for (fs::directory_iterator it{dir_, why}, end; !why && it != end; it.increment(why))
    if (const auto name = it->path().filename().string(); is_digest(name) && !digests.contains(name))
      others.push_back(it->path());
  std::size_t removed = 0;
  for (const auto& x : others) {
    const temporary gone{new_name()}; // a folder with a digest's name is whole until it has no name
    const std::lock_guard one{publishing_};
    if (::rename(x.c_str(), gone.path().c_str()) == 0)
      ++removed;
  }
  return removed;
}

} // namespace troupe::packages
