#include <troupe/app/logs/files.hpp>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <tuple>
#include <unistd.h>
#include <vector>

namespace troupe::logs {

namespace fs = std::filesystem;

namespace {

fs::path older(const fs::path& path, std::size_t n) { return path.string() + "." + std::to_string(n); }

/// Of ".log.12" 12, of ".log" 0.
std::size_t age_of(const fs::path& file) {
  const auto text = file.extension().string();
  return text.size() > 1 && text.find_first_not_of("0123456789", 1) == std::string::npos && text.size() < 8
             ? std::stoul(text.substr(1))
             : 0;
}

} // namespace

deployment_files::deployment_files(fs::path folder) : folder_(std::move(folder)) {
  trim(~std::uint64_t{0}, ~std::size_t{0}); // counts
}

void deployment_files::set_written(const fs::path& file, bool yes) {
  if (yes)
    written_.insert(file);
  else
    written_.erase(file);
}

void deployment_files::trim(std::uint64_t bytes, std::size_t files) {
  struct one {
    fs::file_time_type when;
    std::size_t age;
    fs::path file;
    std::uint64_t bytes;
  };
  std::vector<one> all;
  std::error_code why;
  total_ = 0;
  for (fs::directory_iterator it{folder_, why}, end; !why && it != end; it.increment(why)) {
    std::error_code gone;
    one x{it->last_write_time(gone), age_of(it->path()), it->path(), it->file_size(gone)};
    if (gone)
      continue;
    total_ += x.bytes;
    all.push_back(std::move(x));
  }
  std::sort(all.begin(), all.end(), [](const one& a, const one& b) {
    return std::tie(a.when, b.age, a.file) < std::tie(b.when, a.age, b.file);
  });
  auto left = all.size();
  for (const auto& x : all) {
    if (total_ <= bytes && left <= files)
      return;
    if (written_.contains(x.file) || !fs::remove(x.file, why))
      continue;
    total_ -= x.bytes;
    --left;
  }
}

replica_file::replica_file(deployment_files& all, const std::string& replica, const options& o)
    : all_(all), path_(all.folder() / (file_name_of(replica) + extension)), options_(o) {
  all_.set_written(path_, true);
}

replica_file::~replica_file() { all_.set_written(path_, false); }

int replica_file::open() {
  std::error_code why;
  fs::create_directories(path_.parent_path(), why);
  if (why)
    return why.value();
  file_ = library::descriptor{
      ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR)};
  struct stat about {};
  if (!file_ || ::fstat(file_.get(), &about) != 0)
    return errno;
  size_ = static_cast<std::uint64_t>(about.st_size);
  if (size_ == 0) // a new one
    all_.trim(options_.deployment_bytes, options_.deployment_files);
  return 0;
}

void replica_file::rotate() {
  file_ = {};
  size_ = 0;
  std::error_code none;
  for (auto n = std::max<std::size_t>(options_.files, 1) - 1; n > 0; --n)
    fs::rename(n == 1 ? path_ : older(path_, n - 1), older(path_, n), none); // the last one is replaced
  if (options_.files <= 1)
    fs::remove(path_, none);
  all_.trim(options_.deployment_bytes, options_.deployment_files);
}

replica_file::appended replica_file::write(std::string_view lines) {
  std::size_t done = 0;
  int why = 0;
  while (done < lines.size()) {
    const auto n = ::write(file_.get(), lines.data() + done, lines.size() - done);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0) {
      why = errno;
      break;
    }
    done += static_cast<std::size_t>(n);
  }
  if (done < lines.size()) { // not a part of a line
    const auto end = lines.substr(0, done).rfind('\n');
    const auto whole = end == std::string_view::npos ? 0 : end + 1;
    if (::ftruncate(file_.get(), static_cast<off_t>(size_ + whole)) == 0)
      done = whole;
  }
  size_ += done;
  all_.count(done);
  return {done, why};
}

replica_file::appended replica_file::append(std::string_view lines) {
  appended out;
  while (!lines.empty()) {
    if (!file_)
      if (const auto why = open(); why != 0)
        return {out.bytes, why};
    const auto room = options_.file_bytes - std::min(options_.file_bytes, size_);
    auto part = lines;
    if (lines.size() > room) {
      const auto end = lines.substr(0, room).rfind('\n');
      if (end != std::string_view::npos) {
        part = lines.substr(0, end + 1);
      } else if (size_ > 0) {
        rotate();
        continue;
      } else {
        part = lines.substr(0, lines.find('\n') + 1); // one that is longer than a file
      }
    }
    const auto done = write(part);
    out.bytes += done.bytes;
    if (done.why != 0)
      return {out.bytes, done.why};
    lines.remove_prefix(part.size());
    if (all_.total() > options_.deployment_bytes) {
      all_.trim(options_.deployment_bytes / 10 * 9, options_.deployment_files); // room for a while
      if (all_.total() > options_.deployment_bytes) // all that is left is written: this one begins anew
        rotate();
    }
  }
  return out;
}

} // namespace troupe::logs
