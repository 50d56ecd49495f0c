// Fuzzes the reader of package archives. Corpus: fuzz/corpus/package.
//
// The first byte says whether the rest is a .tar.gz (odd) or the tar in it (even: what mutations would not get past
// gzip's sums). Checked is what must hold of all that comes out: paths lead down only, each is there once and below
// folders, links come last and stay inside, bounds are kept, the same input gives the same digest.
#include "require.hpp"
#include <troupe/app/packages/archive.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace {

using namespace troupe;
using fuzz::require;

packages::limits bounds() {
  packages::limits x;
  x.archive_bytes = 1U << 16U;
  x.unpacked_bytes = 1U << 18U;
  x.files = 64;
  x.path_bytes = 128;
  x.depth = 8;
  return x;
}

class pieces final : public packages::byte_source {
public:
  explicit pieces(std::string_view all) : left_(all) {}
  result<std::size_t> read(char* to, std::size_t n) override {
    n = std::min({n, left_.size(), std::size_t{1000}});
    std::copy_n(left_.data(), n, to);
    left_.remove_prefix(n);
    return n;
  }

private:
  std::string_view left_;
};

class checking final : public packages::sink {
public:
  failure folder(const std::string& path) override { return add(path, 'd'); }
  failure begin_file(const std::string& path, bool) override {
    require(open_.empty(), "one file at a time");
    open_ = path;
    return add(path, 'f');
  }
  failure write(std::string_view bytes) override {
    require(!open_.empty(), "bytes belong to a file");
    bytes_ += bytes.size();
    require(bytes_ <= bounds().unpacked_bytes, "unpacked bytes are bounded");
    return std::nullopt;
  }
  failure end_file() override {
    open_.clear();
    return std::nullopt;
  }
  failure same_file(const std::string& path, const std::string& of) override {
    require(entries_.contains(of) && entries_.at(of) == 'f', "a hard link is to a file that is there");
    return add(path, 'f');
  }
  failure link(const std::string& path, const std::string& target) override {
    require(!target.empty() && target.front() != '/', "a link is relative");
    ++links_;
    entries_.emplace(path, 'l');
    return std::nullopt;
  }

private:
  failure add(const std::string& path, char kind) {
    require(links_ == 0, "links come last");
    require(!path.empty() && path.size() <= bounds().path_bytes && path.front() != '/', "a path is relative");
    require(("/" + path + "/").find("/../") == std::string::npos, "a path leads down");
    require(("/" + path + "/").find("//") == std::string::npos, "a path is clean");
    if (const auto slash = path.rfind('/'); slash != std::string::npos) {
      const auto it = entries_.find(path.substr(0, slash));
      require(it != entries_.end() && it->second == 'd', "what holds an entry is a folder");
    }
    require(entries_.emplace(path, kind).second, "each path is there once");
    require(entries_.size() <= bounds().files, "entries are bounded");
    return std::nullopt;
  }

  std::map<std::string, char> entries_;
  std::string open_;
  std::size_t bytes_ = 0;
  std::size_t links_ = 0;
};

std::string read(bool compressed, std::string_view bytes) {
  const auto limits = bounds();
  checking out;
  packages::intake in{limits, out};
  pieces from{bytes};
  const auto failed = compressed ? packages::read_archive(from, limits, in) : packages::read_tar(from, in);
  if (failed) {
    require(failed->code == errc::invalid_spec && !failed->message.empty(), "a refusal says why");
    return failed->message;
  }
  const auto got = in.finish();
  if (!got)
    return got.why().message;
  require(got->digest.size() == 64, "a digest is one");
  return got->digest;
}

} // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  const bool compressed = (data[0] & 1U) != 0;
  const std::string_view bytes{reinterpret_cast<const char*>(data) + 1, size - 1};
  require(read(compressed, bytes) == read(compressed, bytes), "the same gives the same");
  return 0;
}
