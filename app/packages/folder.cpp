// All by descriptors of folders that are open already: a name that becomes a link meanwhile leads nowhere.
#include <troupe/app/packages/folder.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace troupe::packages {

namespace fs = std::filesystem;

namespace {

constexpr mode_t read_only = 0444;
constexpr mode_t read_and_run = 0555;

const char* kind_of(mode_t mode) {
  if (S_ISFIFO(mode))
    return "named pipe";
  return S_ISSOCK(mode) ? "socket" : "device";
}

struct closed {
  void operator()(DIR* x) const { ::closedir(x); }
};

class reader {
public:
  explicit reader(intake& to) : to_(to) {}

  void folder(int fd, const std::string& path) {
    struct stat before {};
    struct stat after {};
    std::vector<std::string> names;
    if (::fstat(fd, &before) != 0 || !list(fd, names))
      return fail(path.empty() ? "." : path, errno);
    for (const auto& name : names) {
      entry(fd, name, path.empty() ? name : path + "/" + name);
      if (done_.failed || done_.changed)
        return;
    }
    done_.changed = ::fstat(fd, &after) != 0 || !same_state(before, after);
  }
  source_read done() && { return std::move(done_); }

private:
  static bool list(int fd, std::vector<std::string>& names) {
    const auto own = ::openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); // its position is not shared
    const std::unique_ptr<DIR, closed> all{own >= 0 ? ::fdopendir(own) : nullptr};
    if (!all)
      return false;
    errno = 0;
    while (const auto* x = ::readdir(all.get()))
      if (const std::string_view name{x->d_name}; name != "." && name != "..")
        names.emplace_back(name);
    std::sort(names.begin(), names.end()); // the same complaint each time
    return errno == 0;
  }

  /// What is gone, or another thing, since it was listed has changed.
  void fail(const std::string& path, int number) {
    if (number == ENOENT || number == ELOOP || number == ENOTDIR)
      done_.changed = true;
    else
      done_.failed =
          error{errc::invalid_spec, "entry " + shown(path) + " cannot be read: " + library::text_of_errno(number)};
  }

  void entry(int fd, const std::string& name, const std::string& path) {
    struct stat about {};
    if (::fstatat(fd, name.c_str(), &about, AT_SYMLINK_NOFOLLOW) != 0)
      return fail(path, errno);
    if (S_ISLNK(about.st_mode))
      return link(fd, name, path);
    if (!S_ISDIR(about.st_mode) && !S_ISREG(about.st_mode)) {
      done_.failed = to_.other(path, kind_of(about.st_mode));
      return;
    }
    const int kind = S_ISDIR(about.st_mode) ? O_DIRECTORY : O_NONBLOCK;
    const library::descriptor open{::openat(fd, name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | kind)};
    if (!open)
      return fail(path, errno);
    if (S_ISREG(about.st_mode))
      return file(open.get(), path, about);
    if ((done_.failed = to_.folder(path))) // bounds the depth, too
      return;
    folder(open.get(), path);
  }

  void link(int fd, const std::string& name, const std::string& path) {
    std::array<char, 4097> target{};
    const auto n = ::readlinkat(fd, name.c_str(), target.data(), target.size());
    if (n < 0)
      return errno == EINVAL ? void(done_.changed = true) : fail(path, errno);
    done_.failed = to_.link(path, {target.data(), static_cast<std::size_t>(n)});
  }

  void file(int fd, const std::string& path, const struct stat& listed) {
    struct stat after {};
    if ((done_.failed = to_.begin_file(path, (listed.st_mode & S_IXUSR) != 0)))
      return;
    off_t at = 0;
    for (;;) {
      const auto n = ::pread(fd, buffer_.data(), buffer_.size(), at);
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return fail(path, errno);
      if (n == 0)
        break;
      if ((done_.failed = to_.write({buffer_.data(), static_cast<std::size_t>(n)})))
        return;
      at += n;
    }
    done_.changed = ::fstat(fd, &after) != 0 || !same_state(listed, after) || at != after.st_size;
    done_.failed = to_.end_file();
  }

  intake& to_;
  source_read done_;
  std::vector<char> buffer_ = std::vector<char>(std::size_t{64} << 10U);
};

} // namespace

source_read read_folder(int folder, intake& to) {
  reader x{to};
  x.folder(folder, "");
  return std::move(x).done();
}

sink::failure folder_sink::failed(const char* what, const std::string& path) const {
  return error{errc::unavailable,
               std::string{"cannot "} + what + " " + (at_ / path).string() + ": " + library::text_of_errno(errno)};
}

sink::failure folder_sink::begin() {
  if (::mkdir(at_.c_str(), S_IRWXU) == 0)
    root_ = library::descriptor{::open(at_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
  return root_ ? std::nullopt : failed("make the folder", "");
}

sink::failure folder_sink::folder(const std::string& path) {
  if (::mkdirat(root_.get(), path.c_str(), S_IRWXU) != 0)
    return failed("make the folder", path);
  folders_.push_back(path);
  return std::nullopt;
}

sink::failure folder_sink::begin_file(const std::string& path, bool executable) {
  path_ = path;
  executable_ = executable;
  file_ = library::descriptor{
      ::openat(root_.get(), path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR)};
  return file_ ? std::nullopt : failed("make the file", path);
}

sink::failure folder_sink::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto n = ::write(file_.get(), bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return failed("write", path_);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return std::nullopt;
}

sink::failure folder_sink::end_file() {
  const auto done = ::fchmod(file_.get(), executable_ ? read_and_run : read_only);
  if (done != 0)
    return failed("write", path_);
  file_ = {};
  return std::nullopt;
}

sink::failure folder_sink::same_file(const std::string& path, const std::string& of) {
  return ::linkat(root_.get(), of.c_str(), root_.get(), path.c_str(), 0) == 0 ? std::nullopt
                                                                              : failed("make the link", path);
}

sink::failure folder_sink::link(const std::string& path, const std::string& target) {
  return ::symlinkat(target.c_str(), root_.get(), path.c_str()) == 0 ? std::nullopt : failed("make the link", path);
}

sink::failure folder_sink::finish() {
  for (const auto& x : folders_)
    if (::fchmodat(root_.get(), x.c_str(), read_and_run, 0) != 0)
      return failed("write", x);
  if (::fchmod(root_.get(), read_and_run) != 0)
    return failed("write", "");
  // One for all: an fsync for each of 100,000 files would take minutes. Linux tells errors of writing by it (5.8).
  return ::syncfs(root_.get()) == 0 ? std::nullopt : failed("sync", "");
}

bool remove_folder(const fs::path& at) {
  std::error_code why;
  fs::permissions(at, fs::perms::owner_all, fs::perm_options::add | fs::perm_options::nofollow, why);
  for (fs::recursive_directory_iterator it{at, why}, end; !why && it != end; it.increment(why))
    if (std::error_code none; it->symlink_status(none).type() == fs::file_type::directory)
      fs::permissions(it->path(), fs::perms::owner_all, fs::perm_options::add, none);
  fs::remove_all(at, why);
  return !why;
}

} // namespace troupe::packages
