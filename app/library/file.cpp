// SHA-256 by OpenSSL, the rest by POSIX: what a crash or a full disk leaves behind must be known at every step.
#include <troupe/app/library/file.hpp>

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdexcept>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace troupe::library {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t chunk = std::size_t{256} << 10U;

error failed(const std::string& what, const std::filesystem::path& file, int number) {
  return {errc::unavailable, what + " " + file.string() + ": " + text_of_errno(number)};
}

bool write_all(int fd, const char* bytes, std::size_t n) {
  while (n > 0) {
    const auto written = ::write(fd, bytes, n);
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      return false;
    bytes += written;
    n -= static_cast<std::size_t>(written);
  }
  return true;
}

int sync_folder_of(const std::filesystem::path& file) {
  const descriptor folder{::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  return folder && ::fsync(folder.get()) == 0 ? 0 : errno;
}

/// `take(bytes, n)` for all that the file holds; false when it returns false or reading fails.
template <class F>
bool read_all(int fd, F take) {
  std::vector<char> buffer(chunk);
  off_t at = 0;
  while (true) {
    const auto n = ::pread(fd, buffer.data(), buffer.size(), at);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return n == 0;
    if (!take(buffer.data(), static_cast<std::size_t>(n)))
      return false;
    at += n;
  }
}

} // namespace

void hasher::freed::operator()(evp_md_ctx_st* x) const { EVP_MD_CTX_free(x); }

hasher::hasher() : context_(EVP_MD_CTX_new()) {
  if (!context_ || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1)
    throw std::runtime_error("SHA-256 is not available");
}

void hasher::add(std::string_view bytes) { EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()); }

std::string hasher::hex() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> raw{};
  unsigned length = 0;
  EVP_DigestFinal_ex(context_.get(), raw.data(), &length);
  EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr);
  return hex_of({reinterpret_cast<const char*>(raw.data()), length});
}

std::string hex_of(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    const auto x = static_cast<unsigned char>(c);
    out.append({digits[x >> 4U], digits[x & 15U]});
  }
  return out;
}

descriptor::~descriptor() { reset(); }

void descriptor::reset() noexcept {
  if (fd_ >= 0)
    ::close(fd_);
  fd_ = -1;
}

std::vector<fs::path> open_store(fs::path& at, const std::function<bool(const std::string&)>& is_leftover) {
  std::error_code why;
  fs::create_directories(at, why);
  if (!why)
    fs::permissions(at, fs::perms::owner_all, why);
  if (!why)
    at = fs::canonical(at, why);
  std::vector<fs::path> leftovers;
  for (fs::directory_iterator it{at, why}, end; !why && it != end; it.increment(why))
    if (is_leftover(it->path().filename().string()))
      leftovers.push_back(it->path());
  if (why || ::access(at.c_str(), W_OK) != 0)
    throw std::runtime_error("the data directory cannot be used: " + at.string() + ": " +
                             (why ? why.message() : text_of_errno(errno)));
  return leftovers;
}

std::string text_of_errno(int number) { return std::error_code(number, std::generic_category()).message(); }

std::string random_hex() {
  std::array<char, 32> bytes{};
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size())) != 1)
    throw std::runtime_error("no random bytes");
  return hex_of({bytes.data(), bytes.size()});
}

std::string sha256(std::string_view bytes) {
  hasher h;
  h.add(bytes);
  return h.hex();
}

result<std::string> sha256_of_file(const std::filesystem::path& file) {
  const descriptor fd{::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  hasher h;
  const auto add = [&](const char* bytes, std::size_t n) {
    h.add({bytes, n});
    return true;
  };
  if (!fd || !read_all(fd.get(), add))
    return failed("cannot read", file, errno);
  return h.hex();
}

result<copied> copy_hashed(int from, const std::filesystem::path& to, std::uint64_t limit, bool durable) {
  // 0600: what is mapped as code is nobody else's to write.
  descriptor out{::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR)};
  if (!out)
    return failed("cannot create", to, errno);
  hasher h;
  copied done;
  bool too_large = false;
  errno = 0;
  const auto take = [&](const char* bytes, std::size_t n) {
    done.bytes += n;
    too_large = done.bytes > limit;
    if (too_large)
      return false;
    h.add({bytes, n});
    return write_all(out.get(), bytes, n);
  };
  if (!read_all(from, take) || (durable && ::fsync(out.get()) != 0)) {
    const auto number = errno;
    ::unlink(to.c_str());
    if (too_large)
      return error{errc::rejected, "it is larger than " + std::to_string(limit) + " bytes"};
    return failed("cannot copy to", to, number);
  }
  done.digest = h.hex();
  return done;
}

result<bool> publish(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) {
    const auto number = errno;
    ::unlink(from.c_str());
    return failed("cannot rename to", to, number);
  }
  if (const auto number = sync_folder_of(to); number != 0)
    return failed("cannot sync the folder of", to, number);
  return true;
}

result<bool> write_text(const std::filesystem::path& file, std::string_view text) {
  auto temporary = file;
  temporary += ".new";
  ::unlink(temporary.c_str());
  {
    const descriptor out{::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR)};
    if (!out || !write_all(out.get(), text.data(), text.size()) || ::fsync(out.get()) != 0)
      return failed("cannot write", temporary, errno);
  }
  return publish(temporary, file);
}

std::filesystem::path path_of(const descriptor& file) {
  std::error_code none;
  auto path = std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(file.get()), none);
  return none ? std::filesystem::path{} : path;
}

} // namespace troupe::library
