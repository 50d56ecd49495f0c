// Files of the code store: open descriptors, copies that are hashed on the way, durable renames.
#pragma once

#include <troupe/actors/router/result.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

struct evp_md_ctx_st; // OpenSSL's

namespace troupe::library {

/// Owns a file descriptor.
class descriptor {
public:
  descriptor() = default;
  explicit descriptor(int fd) noexcept : fd_(fd) {}
  descriptor(descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  descriptor& operator=(descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~descriptor();
  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  void reset() noexcept; ///< Closes it.

private:
  int fd_ = -1;
};

/// The text of `errno`.
std::string text_of_errno(int number);

/// 256 random bits as 64 hex digits. Throws `std::runtime_error` when there are none.
std::string random_hex();

/// A folder of a store in the data directory, made where it is not there, for its owner alone; `at` becomes its
/// canonical path. Returns the files in it that are leftovers. Throws `std::runtime_error` when it cannot be used.
std::vector<std::filesystem::path> open_store(std::filesystem::path& at,
                                              const std::function<bool(const std::string& name)>& is_leftover);

/// Two hex digits for each byte.
std::string hex_of(std::string_view bytes);

/// SHA-256 of what comes in pieces. Confined to one thread.
class hasher {
public:
  hasher();
  void add(std::string_view bytes);
  std::string hex(); ///< As 64 hex digits, of what was added; then begins anew.

private:
  struct freed {
    void operator()(evp_md_ctx_st* x) const;
  };
  std::unique_ptr<evp_md_ctx_st, freed> context_;
};

/// SHA-256 as 64 hex digits.
std::string sha256(std::string_view bytes);
/// Of a whole file; `unavailable` when it cannot be read.
result<std::string> sha256_of_file(const std::filesystem::path& file);

struct copied {
  std::string digest;
  std::uint64_t bytes = 0;
};

/// Writes what `from` holds, read once from its start, to the new file `to`, which must not exist; with `durable` it is
/// on the disk when this returns. `unavailable` when it cannot; then nothing is left. More than `limit` bytes:
/// `rejected`.
result<copied> copy_hashed(int from, const std::filesystem::path& to, std::uint64_t limit, bool durable);

/// Renames and makes that durable. `unavailable` when it cannot; then `from` is removed.
result<bool> publish(const std::filesystem::path& from, const std::filesystem::path& to);

/// A new durable file with this text, by way of a temporary one. `unavailable` when it cannot.
result<bool> write_text(const std::filesystem::path& file, std::string_view text);

/// The descriptor's file as the kernel knows it, all links resolved; empty when it has no name any more.
std::filesystem::path path_of(const descriptor& file);

} // namespace troupe::library
