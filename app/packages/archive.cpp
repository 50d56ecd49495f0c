// libarchive's own gzip filter ignores the sums at the end, and its writer's SECURE_* flags need the process's working
// directory for relative paths; so it only takes tar apart here, and what those flags refuse the intake refuses.
#include <troupe/app/packages/archive.hpp>

#include <archive.h>
#include <archive_entry.h>
#include <array>
#include <cerrno>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

namespace troupe::packages {

namespace {

constexpr std::size_t block = std::size_t{64} << 10U;
constexpr std::uint64_t free_of_ratio = std::uint64_t{64} << 20U;

error bad(const std::string& why) { return {errc::invalid_spec, why}; }

/// Several members one after the other, as gzip allows, and zero bytes after the last.
class gunzip final : public byte_source {
public:
  gunzip(byte_source& from, const limits& bounds) : from_(from), bounds_(bounds) {
    if (::inflateInit2(&z_, 16 + MAX_WBITS) != Z_OK) // 16: gzip and nothing else
      throw std::bad_alloc{};
  }
  gunzip(const gunzip&) = delete;
  gunzip& operator=(const gunzip&) = delete;
  ~gunzip() override { ::inflateEnd(&z_); }

  result<std::size_t> read(char* to, std::size_t n) override {
    z_.next_out = reinterpret_cast<Bytef*>(to);
    z_.avail_out = static_cast<uInt>(n);
    while (z_.avail_out == n && !ended_) {
      if (z_.avail_in == 0)
        if (const auto more = fill(); !more)
          return more.why();
      if (between_ && skip_padding())
        break;
      const auto rc = ::inflate(&z_, Z_NO_FLUSH);
      if (rc == Z_STREAM_END) {
        between_ = true;
        ::inflateReset(&z_);
      } else if (rc == Z_MEM_ERROR) {
        throw std::bad_alloc{};
      } else if (rc != Z_OK && rc != Z_BUF_ERROR) {
        return bad(out_ == 0 && z_.total_out == 0
                       ? "is no gzip file; a package is a folder or a .tar.gz"
                       : std::string{"is damaged: "} + (z_.msg ? z_.msg : "gzip data") + "; copy or pack it again");
      }
    }
    const auto got = n - z_.avail_out;
    out_ += got;
    if (out_ > free_of_ratio && out_ / bounds_.ratio > in_)
      return bad("unpacks to more than " + std::to_string(bounds_.ratio) +
                 " times its size, which is the most that is allowed");
    return got;
  }

private:
  result<bool> fill() {
    const auto got = from_.read(input_.data(), input_.size());
    if (!got)
      return got.why();
    if (*got == 0) {
      if (in_ == 0)
        return bad("is empty; a package is a folder or a .tar.gz");
      if (!between_)
        return bad("ends too early (after " + std::to_string(in_) + " bytes); copy or pack it again");
      ended_ = true;
    }
    in_ += *got;
    if (in_ > bounds_.archive_bytes)
      return bad("is larger than " + std::to_string(bounds_.archive_bytes) +
                 " bytes, which is the most that is allowed");
    z_.next_in = reinterpret_cast<Bytef*>(input_.data());
    z_.avail_in = static_cast<uInt>(*got);
    return true;
  }

  /// True where nothing but zero bytes is left of the input so far.
  bool skip_padding() {
    while (z_.avail_in > 0 && *z_.next_in == 0) {
      ++z_.next_in;
      --z_.avail_in;
    }
    if (z_.avail_in == 0)
      return ended_;
    between_ = false;
    return false;
  }

  byte_source& from_;
  const limits& bounds_;
  z_stream z_{};
  std::array<char, block> input_{};
  std::uint64_t in_ = 0;
  std::uint64_t out_ = 0;
  bool between_ = false; ///< A member has ended, and no other begun.
  bool ended_ = false;
};

class file_source final : public byte_source {
public:
  explicit file_source(int fd) : fd_(fd) {}
  result<std::size_t> read(char* to, std::size_t n) override {
    for (;;) {
      const auto got = ::pread(fd_, to, n, at_);
      if (got < 0 && errno == EINTR)
        continue;
      if (got < 0)
        return bad("cannot be read: " + library::text_of_errno(errno));
      at_ += got;
      return static_cast<std::size_t>(got);
    }
  }

private:
  int fd_;
  off_t at_ = 0;
};

/// What libarchive reads from.
struct reading {
  byte_source& from;
  std::array<char, block> buffer{};
  std::optional<error> failed{};

  static la_ssize_t next(struct archive* a, void* self, const void** out) {
    auto& x = *static_cast<reading*>(self);
    *out = x.buffer.data();
    auto got = x.from.read(x.buffer.data(), x.buffer.size());
    if (got)
      return static_cast<la_ssize_t>(*got);
    x.failed = got.why();
    ::archive_set_error(a, EIO, "%s", x.failed->message.c_str());
    return -1;
  }
};

struct freed {
  void operator()(struct archive* x) const { ::archive_read_free(x); }
};

std::string_view name_of(unsigned type) {
  switch (type) {
  case AE_IFCHR:
  case AE_IFBLK:
    return "device";
  case AE_IFIFO:
    return "named pipe";
  case AE_IFSOCK:
    return "socket";
  default:
    return "thing of an unknown kind";
  }
}

std::string_view text(const char* x) { return x ? x : ""; }

std::optional<error> take_entry(struct archive* a, struct archive_entry* x, intake& to) {
  const auto name = text(::archive_entry_pathname(x));
  if (const auto* of = ::archive_entry_hardlink(x))
    return to.same_file(name, of);
  switch (::archive_entry_filetype(x)) {
  case AE_IFDIR:
    return to.folder(name);
  case AE_IFLNK:
    return to.link(name, text(::archive_entry_symlink(x)));
  case AE_IFREG:
    break;
  default:
    return to.other(name, name_of(::archive_entry_filetype(x)));
  }
  if (auto why = to.begin_file(name, (::archive_entry_perm(x) & S_IXUSR) != 0))
    return why;
  std::array<char, block> bytes{};
  for (;;) { // holes of sparse files come as zeros, and count
    const auto n = ::archive_read_data(a, bytes.data(), bytes.size());
    if (n < 0)
      return bad("entry " + shown(name) + " is damaged: " + std::string{text(::archive_error_string(a))});
    if (n == 0)
      return to.end_file();
    if (auto why = to.write({bytes.data(), static_cast<std::size_t>(n)}))
      return why;
  }
}

} // namespace

std::optional<error> read_tar(byte_source& from, intake& to) {
  const std::unique_ptr<struct archive, freed> a{::archive_read_new()};
  if (!a)
    throw std::bad_alloc{};
  reading source{from};
  ::archive_read_support_format_tar(a.get());
  // To the end of the file: its sums are checked, and nothing in it is left out without a word.
  ::archive_read_set_options(a.get(), "read_concatenated_archives");
  auto rc = ::archive_read_open2(a.get(), &source, nullptr, &reading::next, nullptr, nullptr);
  bool any = false;
  while (rc == ARCHIVE_OK || rc == ARCHIVE_WARN) {
    struct archive_entry* x = nullptr;
    rc = ::archive_read_next_header(a.get(), &x);
    if (rc == ARCHIVE_EOF)
      return std::nullopt;
    if (rc != ARCHIVE_OK && rc != ARCHIVE_WARN) // a warning is about a name that is no text of the locale
      break;
    any = true;
    auto why = take_entry(a.get(), x, to);
    if (source.failed)
      return source.failed;
    if (why)
      return why;
  }
  if (source.failed)
    return source.failed;
  const std::string said{text(::archive_error_string(a.get()))};
  return bad(any ? "is damaged: " + said : "holds no tar archive (" + said + "); a package is a folder or a .tar.gz");
}

std::optional<error> read_archive(byte_source& compressed, const limits& bounds, intake& to) {
  gunzip unpacked{compressed, bounds};
  return read_tar(unpacked, to);
}

source_read read_archive(int fd, const limits& bounds, intake& to) {
  struct stat before {};
  struct stat after {};
  source_read out;
  file_source file{fd};
  const bool known = ::fstat(fd, &before) == 0;
  out.failed = read_archive(file, bounds, to);
  out.changed = !known || ::fstat(fd, &after) != 0 || !same_state(before, after);
  return out;
}

} // namespace troupe::packages
