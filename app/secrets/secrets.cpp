// Where secrets are read, sealed and masked.
#include <troupe/app/library/file.hpp>
#include <troupe/app/secrets/reference.hpp>
#include <troupe/app/secrets/secrets.hpp>
#include <troupe/messages/text.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <sstream>
#include <stdexcept>
#include <sys/stat.h>
#include <unistd.h>

namespace troupe::secrets {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t key_bytes = 32;
constexpr std::size_t kept_contents = 4;
constexpr std::size_t digest_digits = 32;

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto c = utf8_at(text, i);
    if (c.length == 0)
      return false;
    i += c.length;
  }
  return true;
}

void replace_all(std::string& text, std::string_view what, const std::string& with) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
}

} // namespace

keeper::held keeper::read_file(const fs::path& file) const {
  // Not blocking: the open of a pipe would wait for a writer. Links are followed: Kubernetes mounts secrets as such.
  const library::descriptor in{::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (!in)
    return {{}, library::text_of_errno(errno)};
  struct stat about {};
  if (::fstat(in.get(), &about) != 0)
    return {{}, library::text_of_errno(errno)};
  if (!S_ISREG(about.st_mode))
    return {{}, "is not a regular file"};
  const auto too_large = "is larger than " + std::to_string(max_bytes) + " bytes, the most that a secret may have";
  if (about.st_size > static_cast<off_t>(max_bytes))
    return {{}, too_large};
  std::string text(max_bytes + 1, '\0');
  std::size_t used = 0;
  while (used < text.size()) {
    const auto n = ::read(in.get(), text.data() + used, text.size() - used);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return {{}, library::text_of_errno(errno)};
    if (n == 0)
      break;
    used += static_cast<std::size_t>(n);
  }
  if (used > max_bytes)
    return {{}, too_large};
  text.resize(used);
  if (text.ends_with('\n'))
    text.pop_back();
  if (!is_utf8(text))
    return {{}, "is not UTF-8"};
  if ((about.st_mode & (S_IRWXG | S_IRWXO)) != 0 && options_.warn) {
    const std::lock_guard one{mutex_};
    if (warned_.insert(file).second)
      options_.warn("the secret " + file.string() + " is open to others than its owner; chmod 600 closes it");
  }
  return {std::move(text), {}};
}

keeper::held keeper::read(const std::string& name) const {
  std::string tried;
  for (const auto& dir : {options_.secrets_dir, options_.credentials_dir}) {
    if (dir.empty())
      continue;
    auto x = read_file(dir / name);
    if (x.why.empty())
      return x;
    tried += (tried.empty() ? "" : "; ") + (dir / name).string() + ": " + x.why;
    std::error_code none;
    if (fs::exists(fs::symlink_status(dir / name, none))) // it is there, and another one is not meant
      break;
  }
  if (tried.empty())
    tried = "there are no secrets: start with --secrets-dir, or as a service with credentials";
  return {{}, tried};
}

const std::string& keeper::key() const {
  const std::lock_guard one{mutex_};
  if (!key_.empty())
    return key_;
  const auto file = options_.data_dir / "secrets.key";
  std::string key;
  if (std::ifstream in{file, std::ios::binary}; in)
    key.assign(std::istreambuf_iterator<char>{in}, {});
  if (key.size() != key_bytes) { // digests will differ: configs are given out once more
    std::array<unsigned char, key_bytes> random{};
    if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1)
      throw std::runtime_error("there are no random bytes for " + file.string());
    key.assign(random.begin(), random.end());
    if (const auto written = library::write_text(file, key); !written) // with mode 0600
      throw std::runtime_error(written.why().message);
  }
  key_ = std::move(key);
  return key_;
}

std::string keeper::digest_of(const std::string& name, const std::string& text) const {
  const auto& k = key();
  const auto bytes = name + '\0' + text; // so that equal contents of two secrets don't tell
  std::array<unsigned char, EVP_MAX_MD_SIZE> raw{};
  unsigned length = 0;
  if (!HMAC(EVP_sha256(), k.data(), static_cast<int>(k.size()), reinterpret_cast<const unsigned char*>(bytes.data()),
            bytes.size(), raw.data(), &length))
    throw std::runtime_error("HMAC-SHA256 is not available");
  return library::hex_of({reinterpret_cast<const char*>(raw.data()), length}).substr(0, digest_digits);
}

sealed keeper::seal(const json& x, const std::string& path) const {
  sealed out;
  out.value = x;
  for_each_reference(out.value, path, [&](json& reference, const std::string& at) {
    auto shown = reference.dump(-1, ' ', false, json::error_handler_t::replace).substr(0, 100);
    if (auto why = malformed(reference, false); !why.empty()) {
      out.faults.push_back({at, std::move(shown), std::move(why), true});
      return;
    }
    const auto name = name_in(reference);
    const auto content = read(name);
    if (!content.why.empty()) {
      out.faults.push_back(
          {at, std::move(shown), "a secret that can be read; \"" + name + "\" cannot: " + content.why, false});
      return;
    }
    try {
      reference[digest_member] = digest_of(name, content.text);
    } catch (const std::runtime_error& e) {
      out.faults.push_back({at, std::move(shown), std::string{"a data directory that works: "} + e.what(), false});
    }
  });
  return out;
}

result<json_doc> keeper::delivered(const json_doc& user_config) const {
  auto x = resolve(user_config.get());
  if (!x)
    return x.why();
  return json_doc{std::move(*x)};
}

result<json> keeper::resolve(const json& x) const {
  std::optional<error> failed;
  auto out = x;
  for_each_reference(out, "", [&](json& reference, const std::string& at) {
    if (failed)
      return;
    if (auto why = malformed(reference, true); !why.empty()) {
      failed = error{errc::invalid_spec, "the secret at " + (at.empty() ? "the top" : at) + ": must be " + why};
      return;
    }
    const auto name = name_in(reference);
    auto content = read(name);
    if (!content.why.empty()) {
      failed = error{errc::unavailable, "the secret \"" + name + "\" cannot be read: " + content.why};
      return;
    }
    remember(name, content.text);
    reference = std::move(content.text);
  });
  if (failed)
    return std::move(*failed);
  return out;
}

void keeper::remember(const std::string& name, const std::string& text) const {
  if (text.size() < least_masked)
    return;
  {
    const std::shared_lock look{given_mutex_};
    const auto it = given_.find(name);
    if (it != given_.end() && it->second.front() == text)
      return;
  }
  const std::lock_guard one{given_mutex_};
  auto& all = given_[name];
  std::erase(all, text);
  all.push_front(text);
  if (all.size() > kept_contents)
    all.pop_back();
  prepare_needles();
}

/// Each content, its lines where it has several (a log shows it line by line), and how JSON writes them.
void keeper::prepare_needles() const {
  needles_.clear();
  const auto add = [&](std::string x, const std::string& with) {
    if (x.ends_with('\r')) // which a log leaves out
      x.pop_back();
    if (x.size() < least_masked)
      return;
    if (const auto quoted = json(x).dump(); quoted.size() != x.size() + 2)
      needles_.emplace_back(quoted.substr(1, quoted.size() - 2), with);
    needles_.emplace_back(std::move(x), with);
  };
  for (const auto& [name, contents] : given_)
    for (const auto& x : contents) {
      const auto with = "[secret " + name + "]";
      add(x, with);
      if (x.find('\n') == std::string::npos)
        continue;
      std::istringstream lines{x};
      for (std::string line; std::getline(lines, line);)
        add(line, with);
    }
  std::sort(needles_.begin(), needles_.end(),
            [](const auto& a, const auto& b) { return a.first.size() > b.first.size(); });
}

std::string keeper::mask(std::string text) const {
  for (const auto& [content, with] : needles_)
    replace_all(text, content, with);
  return text;
}

std::string keeper::masked(std::string text) const {
  const std::shared_lock look{given_mutex_};
  return needles_.empty() ? text : mask(std::move(text));
}

std::optional<std::string> keeper::masked_at_once(std::string text) const noexcept {
  const std::shared_lock look{given_mutex_, std::try_to_lock};
  if (!look)
    return std::nullopt;
  try {
    return mask(std::move(text));
  } catch (const std::exception&) { // no memory
    return std::nullopt;
  }
}

} // namespace troupe::secrets
