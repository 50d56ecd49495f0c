#include <troupe/app/api/access.hpp>
#include <troupe/app/library/file.hpp>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <openssl/crypto.h>
#include <stdexcept>
#include <sys/stat.h>
#include <unistd.h>

namespace troupe::api {

namespace {

std::string lower(std::string_view x) {
  std::string out{x};
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

/// Without the port: "[::1]" and "::1" alike.
std::string host_of(std::string_view authority) {
  if (!authority.empty() && authority.front() == '[')
    return lower(authority.substr(1, authority.find(']') - 1));
  return lower(authority.substr(0, authority.rfind(':')));
}

/// An address cannot be rebound; a name can.
bool is_address(const std::string& host) {
  return host.find(':') != std::string::npos ||
         (!host.empty() && host.find_first_not_of("0123456789.") == std::string::npos);
}

bool is_own(const std::string& host, const access_rules& rules) {
  return host == "localhost" || is_address(host) ||
         std::find(rules.hosts.begin(), rules.hosts.end(), host) != rules.hosts.end();
}

bool from_browser(const request& x) {
  if (x.header("User-Agent").starts_with("Mozilla"))
    return true;
  return std::any_of(x.headers.begin(), x.headers.end(), [](const header_field& f) {
    const auto name = lower(f.name);
    return name == "origin" || name == "referer" || name.starts_with("sec-fetch-") ||
           name.starts_with("access-control-request-");
  });
}

std::string_view token_of(const request& x) {
  auto given = x.header("Authorization");
  if (given.empty())
    given = x.header("X-Ray-Authorization");
  const auto space = given.find(' ');
  if (space == std::string_view::npos || !equals_ignoring_case(given.substr(0, space), "bearer"))
    return {};
  const auto from = given.find_first_not_of(' ', space);
  return from == std::string_view::npos ? std::string_view{} : given.substr(from);
}

} // namespace

std::optional<response> refused(const request& x, const access_rules& rules) {
  if (!is_own(host_of(x.header("Host")), rules))
    return response::text(403, "Forbidden: the Host header names another site\n");
  if (!rules.token.empty()) {
    const auto given = token_of(x);
    if (given.empty()) {
      auto answer = response::text(401, "Unauthorized: Missing authentication token\n");
      answer.headers.push_back({"WWW-Authenticate", "Bearer"});
      return answer;
    }
    if (given.size() != rules.token.size() || CRYPTO_memcmp(given.data(), rules.token.data(), given.size()) != 0)
      return response::text(403, "Forbidden: Invalid authentication token\n");
  }
  if (const auto origin = x.header("Origin"); !origin.empty()) {
    const auto from = origin.find("://");
    if (from == std::string_view::npos || host_of(origin.substr(from + 3)) != host_of(x.header("Host")))
      return response::text(403, "Forbidden: a page of another site\n");
  }
  if (from_browser(x) && x.method != "GET" && x.method != "HEAD" && x.method != "OPTIONS")
    return response::text(405, "Method Not Allowed: not from a browser\n");
  return std::nullopt;
}

std::string token_in(const std::filesystem::path& directory) {
  const auto file = directory / "token";
  const auto fail = [&](const char* what) {
    throw std::runtime_error(file.string() + " cannot be " + what + ": " + std::strerror(errno));
  };
  if (std::ifstream in{file}; in) {
    std::string token;
    in >> token;
    if (token.size() < 16)
      throw std::runtime_error(file.string() + " has no usable token: remove it to get a new one");
    return token;
  }
  auto token = library::random_hex();
  const auto part = file.string() + ".new";
  const int fd = ::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0)
    fail("written");
  const auto text = token + "\n";
  const bool whole = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(fd) == 0;
  ::close(fd);
  if (!whole || ::rename(part.c_str(), file.c_str()) != 0)
    fail("written");
  return token;
}

} // namespace troupe::api
