// A replica's files are one stream: the file that was read last is found again by its inode among the rotated ones, and
// what is newer than it follows. Folders are watched before they are listed, so that nothing falls between.
#include <troupe/app/logs/reader.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <fcntl.h>
#include <poll.h>
#include <queue>
#include <set>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace troupe::logs {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t block = std::size_t{64} << 10U;
constexpr std::uint32_t watched = IN_CREATE | IN_MOVED_TO | IN_MODIFY | IN_DELETE_SELF | IN_ONLYDIR;

ino_t inode_of(int fd) {
  struct stat about {};
  return ::fstat(fd, &about) == 0 ? about.st_ino : 0;
}

std::vector<fs::path> folders_in(const fs::path& at) {
  std::vector<fs::path> out;
  std::error_code why;
  for (fs::directory_iterator it{at, why}, end; !why && it != end; it.increment(why))
    if (std::error_code none; it->is_directory(none))
      out.push_back(it->path());
  std::sort(out.begin(), out.end());
  return out;
}

} // namespace

/// The files of one replica as one stream of lines.
struct reader::source {
  std::string application, deployment;
  fs::path path;
  std::deque<library::descriptor> files; ///< Not read to their end yet, oldest first; the last one may grow.
  std::string text;                      ///< Read.
  std::size_t begin = 0, end = 0;        ///< Of the line that `next` has found, in `text`.
  std::size_t used = 0;                  ///< Of `text`.

  /// Adds files that are newer than the last one.
  void look() {
    std::vector<library::descriptor> newer; // newest first
    std::set<ino_t> seen;
    const auto known = files.empty() ? 0 : inode_of(files.back().get());
    for (std::size_t n = 0, missing = 0; missing < 2; ++n) { // one may be between two names
      const auto name = n == 0 ? path : fs::path{path.string() + "." + std::to_string(n)};
      library::descriptor file{::open(name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC)};
      if (!file) {
        ++missing;
        continue;
      }
      const auto inode = inode_of(file.get());
      if (known != 0 && inode == known)
        break;
      if (seen.insert(inode).second) // else it was renamed meanwhile
        newer.push_back(std::move(file));
    }
    std::move(newer.rbegin(), newer.rend(), std::back_inserter(files));
  }

  /// Finds the next line that is not older than `since`; false when there is none yet.
  bool next(const std::string& since) {
    for (;;) {
      const auto at = text.find('\n', used);
      if (at == std::string::npos) {
        text.erase(0, std::exchange(used, 0));
        if (!fill())
          return false;
        continue;
      }
      begin = std::exchange(used, at + 1);
      end = at;
      if (since.empty() || line().substr(0, time_length) >= since)
        return true;
    }
  }
  std::string_view line() const { return std::string_view{text}.substr(begin, end - begin); }

private:
  bool fill() {
    while (!files.empty()) {
      const auto before = text.size();
      text.resize(before + block);
      ssize_t n = 0;
      do
        n = ::read(files.front().get(), text.data() + before, block);
      while (n < 0 && errno == EINTR);
      text.resize(before + static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
      if (n > 0)
        return true;
      if (files.size() == 1)
        return false;
      files.pop_front();
    }
    return false;
  }
};

reader::reader(query q) : query_(std::move(q)), events_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
  if (!events_ || ::inotify_add_watch(events_.get(), query_.data_dir.c_str(), IN_CREATE | IN_MOVED_TO | IN_ONLYDIR) < 0)
    throw std::system_error(errno, std::generic_category(), query_.data_dir.string());
}

reader::~reader() = default;

void reader::watch(const fs::path& folder) const {
  ::inotify_add_watch(events_.get(), folder.c_str(), watched); // of one that is not there its parent tells
}

void reader::look() {
  const auto root = root_of(query_.data_dir);
  watch(root);
  for (const auto& application : folders_in(root)) {
    if (!query_.application.empty() && application.filename() != file_name_of(query_.application))
      continue;
    watch(application);
    for (const auto& deployment : folders_in(application))
      if (query_.deployment.empty() || deployment.filename() == file_name_of(query_.deployment)) {
        watch(deployment);
        look_at(application.filename(), deployment.filename());
      }
  }
}

void reader::look_at(const std::string& application, const std::string& deployment) {
  std::error_code why;
  for (fs::directory_iterator it{root_of(query_.data_dir) / application / deployment, why}, end; !why && it != end;
       it.increment(why)) {
    auto path = it->path();
    if (path.extension() != extension)
      path.replace_extension(); // an older one; the newest may be about to come
    if (path.extension() != extension || (!query_.replica.empty() && path.stem() != file_name_of(query_.replica)))
      continue;
    auto& x = sources_[path];
    if (!x) {
      x = std::make_unique<source>();
      x->application = application;
      x->deployment = deployment;
      x->path = path;
    }
  }
  for (auto& [path, x] : sources_)
    if (x->application == application && x->deployment == deployment)
      x->look();
}

std::size_t reader::read(const std::function<bool(const std::string&, const std::string&, std::string_view)>& f) {
  look();
  const auto later = [](const source* a, const source* b) {
    return a->line().substr(0, time_length) > b->line().substr(0, time_length);
  };
  std::priority_queue<source*, std::vector<source*>, decltype(later)> next{later};
  for (auto& [path, x] : sources_)
    if (x->next(query_.since))
      next.push(x.get());
  std::size_t n = 0;
  while (!next.empty()) {
    auto* x = next.top();
    next.pop();
    ++n;
    if (!f(x->application, x->deployment, x->line()))
      break;
    if (x->next(query_.since))
      next.push(x);
  }
  return n;
}

bool reader::wait(int stop) const {
  std::array<pollfd, 2> both{pollfd{events_.get(), POLLIN, 0}, pollfd{stop, POLLIN, 0}};
  int n = 0;
  do
    n = ::poll(both.data(), both.size(), -1);
  while (n < 0 && errno == EINTR);
  std::array<char, 4096> ignored{};
  while (::read(events_.get(), ignored.data(), ignored.size()) > 0) {
  }
  return n > 0 && both[1].revents == 0;
}

} // namespace troupe::logs
