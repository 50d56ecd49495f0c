// Reads a .tar.gz: gzip by zlib, which checks its sums, tar by libarchive.
#pragma once

#include <troupe/app/packages/intake.hpp>

#include <cstddef>
#include <optional>
#include <string>

namespace troupe::packages {

/// Bytes, read once from start to end.
class byte_source {
public:
  virtual ~byte_source() = default;
  /// Up to `n` bytes to `to`; 0 at the end.
  virtual result<std::size_t> read(char* to, std::size_t n) = 0;
};

/// All of a tar archive. Owners, times, setuid and other bits but the executable one are ignored.
std::optional<error> read_tar(byte_source& from, intake& to);

/// All of a .tar.gz, read through `compressed`. A failure (`invalid_spec`) says which: not gzip, no tar in it, broken
/// off, damaged, too large, or what the intake refuses.
std::optional<error> read_archive(byte_source& compressed, const limits& bounds, intake& to);

/// The same, of the file `fd`, read from its start.
source_read read_archive(int fd, const limits& bounds, intake& to);

} // namespace troupe::packages
