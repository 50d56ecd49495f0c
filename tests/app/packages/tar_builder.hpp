// Archives as an attacker would write them, byte by byte.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <zlib.h>

namespace troupe::test {

/// A ustar archive that grows by entries.
class tar_builder {
public:
  /// `type` as in ustar: '0' file, '1' hard link, '2' link, '3' device, '5' folder, '6' named pipe.
  tar_builder& add(std::string_view name, char type, std::string_view content = {}, std::string_view target = {},
                   unsigned mode = 0644) {
    std::array<char, 512> h{};
    const auto put = [&](std::size_t at, std::string_view text) { std::copy(text.begin(), text.end(), h.data() + at); };
    const auto octal = [&](std::size_t at, std::size_t digits, unsigned long x) {
      for (auto i = digits; i-- > 0; x /= 8)
        h[at + i] = static_cast<char>('0' + x % 8);
      h[at + digits] = '\0';
    };
    REQUIRE(name.size() <= 100);
    put(0, name);
    octal(100, 7, mode);
    octal(108, 7, 0);
    octal(116, 7, 0);
    octal(124, 11, claimed_ != 0 ? claimed_ : content.size());
    octal(136, 11, 0);
    put(148, "        ");
    h[156] = type;
    put(157, target);
    put(257, "ustar");
    put(263, "00");
    unsigned long sum = 0;
    for (const char c : h)
      sum += static_cast<unsigned char>(c);
    octal(148, 6, sum);
    bytes_.append(h.data(), h.size()).append(content).append((512 - content.size() % 512) % 512, '\0');
    claimed_ = 0;
    return *this;
  }
  tar_builder& file(std::string_view name, std::string_view content = "x", unsigned mode = 0644) {
    return add(name, '0', content, {}, mode);
  }
  tar_builder& folder(std::string_view name) { return add(name, '5', {}, {}, 0755); }
  tar_builder& link(std::string_view name, std::string_view target) { return add(name, '2', {}, target); }
  tar_builder& hard_link(std::string_view name, std::string_view of) { return add(name, '1', {}, of); }
  /// The next entry says that it is this long, whatever it holds.
  tar_builder& claiming(unsigned long bytes) {
    claimed_ = bytes;
    return *this;
  }
  std::string tar() const { return bytes_ + std::string(1024, '\0'); }

private:
  std::string bytes_;
  unsigned long claimed_ = 0;
};

inline std::string gzip(std::string_view bytes) {
  z_stream z{};
  REQUIRE(::deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string in{bytes}, out(::deflateBound(&z, bytes.size()), '\0');
  z.next_in = reinterpret_cast<Bytef*>(in.data());
  z.avail_in = static_cast<uInt>(in.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  REQUIRE(::deflate(&z, Z_FINISH) == Z_STREAM_END);
  out.resize(z.total_out);
  ::deflateEnd(&z);
  return out;
}

} // namespace troupe::test
