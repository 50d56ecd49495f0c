// Which file is at fault is told before CAF could stumble over it.
#include <troupe/app/cluster/bundle.hpp>
#include <troupe/app/library/file.hpp>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace troupe::cluster {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t most_bytes = std::size_t{64} << 10U;
constexpr auto make_again = "make it again with `troupe cluster certificate`, or copy it again from where it was made";

std::string begins_later(const certificate_info& x, time_point now) {
  return "is not valid before " + date_text(x.not_before) + ", and the clock here says " + date_text(now);
}

// Collects what is found while the files are looked through.
class check {
public:
  check(const fs::path& folder, time_point now) : files_(folder), now_(now) {}

  verified run(std::optional<role> expected) {
    auto chain = certificates(files_.certificate);
    read_key();
    for (const auto x : all_roles)
      read_authority(x);
    if (!chain.empty())
      look_at(std::move(chain), expected);
    if (out_.errors.empty())
      out_.self = std::make_shared<const identity>(std::move(self_));
    return std::move(out_);
  }

private:
  void fault(const fs::path& file, const std::string& what, const std::string& cure) {
    out_.errors.push_back(file.string() + ": " + what + "; " + cure);
  }

  std::optional<small_file> read(const fs::path& file) {
    auto text = read_small(file);
    if (!text) {
      out_.errors.push_back(file.string() + ": " + text.why().message);
      return std::nullopt;
    }
    return std::move(*text);
  }

  x509_list certificates(const fs::path& file) {
    const auto text = read(file);
    if (!text)
      return {};
    auto out = certificates_of_pem(text->text);
    if (!out) {
      fault(file, out.why().message, make_again);
      return {};
    }
    return std::move(*out);
  }

  void read_key() {
    auto text = read(files_.key);
    if (!text)
      return;
    if (text->is_open_to_others)
      out_.warnings.push_back(open_key_text(files_.key));
    auto key = key_of_pem(text->text);
    OPENSSL_cleanse(text->text.data(), text->text.size());
    if (key)
      self_.key = std::move(*key);
    else
      fault(files_.key, key.why().message, make_again);
  }

  // Ends, and ends soon.
  void look_at_times(const fs::path& file, const certificate_info& x) {
    if (x.not_before > now_)
      return fault(file, begins_later(x, now_), "set the clock, or make it again where the clock is right");
    const auto text = expiry_text(x.not_after, now_);
    if (x.not_after <= now_)
      fault(file, text, renewal_text(x));
    else if (!text.empty())
      out_.warnings.push_back(file.string() + ": " + text + "; " + renewal_text(x));
  }

  void read_authority(role of) {
    const auto file = files_.authority_of(of);
    auto all = certificates(file);
    for (const auto& x : all) {
      const auto info = describe(x);
      if (!info)
        fault(file, info.why().message, make_again);
      else if (!info->is_authority)
        fault(file, "is the certificate of a " + std::string{to_string(info->role)} + " and no CA", make_again);
      else if (info->role != of)
        fault(file, "is the CA of role " + std::string{to_string(info->role)}, make_again);
      else
        look_at_times(file, *info);
    }
    self_.authorities.at(static_cast<std::size_t>(of) - 1) = std::move(all);
  }

  void look_at(x509_list chain, std::optional<role> expected) {
    const auto& leaf = chain.front();
    if (self_.key && !key_matches(leaf, self_.key))
      fault(files_.key, "is not the key of " + files_.certificate.string(),
            "the two are made together: copy both again");
    auto info = describe(leaf);
    if (!info)
      return fault(files_.certificate, info.why().message, make_again);
    if (info->is_authority)
      return fault(files_.certificate, "is a CA, which no process may be", make_again);
    if (expected && info->role != *expected)
      fault(files_.certificate,
            "is of role " + std::string{to_string(info->role)} + ", not " + std::string{to_string(*expected)},
            "take the folder that was made with --role " + std::string{to_string(*expected)});
    const auto before = out_.errors.size();
    look_at_times(files_.certificate, *info);
    if (const auto& own = self_.authorities_of(info->role); !own.empty() && out_.errors.size() == before)
      if (const auto why = why_not_trusted(leaf, {chain.begin() + 1, chain.end()}, own, now_); !why.empty())
        fault(files_.certificate,
              "does not come from the CA in " + files_.authority_of(info->role).string() + " (" + why + ")",
              "copy the whole folder again: all of it is made together");
    look_at_trust(info->role);
    self_.info = std::move(*info);
    self_.certificates = std::move(chain);
  }

  // CAF would take whatever certificate comes from these.
  void look_at_trust(role own) {
    const auto given = certificates(files_.trust);
    x509_list wanted;
    for (const auto x : trusted_by(own)) {
      const auto& some = self_.authorities_of(x);
      if (some.empty()) // which is told already
        return;
      wanted.insert(wanted.end(), some.begin(), some.end());
    }
    const auto holds = [](const x509_list& all, const x509_handle& x) {
      return std::any_of(all.begin(), all.end(), [&](const x509_handle& y) { return same(x, y); });
    };
    const auto all_in = [&](const x509_list& some, const x509_list& all) {
      return std::all_of(some.begin(), some.end(), [&](const x509_handle& x) { return holds(all, x); });
    };
    std::string names;
    for (const auto x : trusted_by(own))
      names += ' ' + files_.authority_of(x).filename().string();
    const auto cure = "it is those that a " + std::string{to_string(own)} + " trusts, in one file:" + names;
    if (!given.empty() && !all_in(given, wanted))
      fault(files_.trust, "trusts a CA that it is not to trust", cure);
    if (!given.empty() && !all_in(wanted, given))
      fault(files_.trust, "lacks a CA that it is to trust", cure);
  }

  const bundle_files files_;
  const time_point now_;
  identity self_;
  verified out_;
};

} // namespace

bundle_files::bundle_files(const fs::path& at)
    : folder(at), certificate(at / "certificate.pem"), key(at / "key.pem"), trust(at / "trust.pem") {}

fs::path bundle_files::authority_of(role x) const { return folder / ("ca-" + std::string{to_string(x)} + ".pem"); }

result<small_file> read_small(const fs::path& file) {
  const auto refused = [](std::string text) { return error{errc::unavailable, std::move(text)}; };
  // Not blocking: the open of a pipe would wait for a writer.
  const library::descriptor in{::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (!in && errno == ENOENT)
    return refused("is not there; copy the whole folder that `troupe cluster certificate` or `init` has made");
  struct stat about {};
  if (!in || ::fstat(in.get(), &about) != 0)
    return refused("cannot be read: " + library::text_of_errno(errno) +
                   "; give it to the user that runs troupe (chown)");
  if (!S_ISREG(about.st_mode))
    return refused("is not a regular file; put the file there that `troupe cluster certificate` has made");
  small_file out;
  out.is_open_to_others = (about.st_mode & (S_IRWXG | S_IRWXO)) != 0;
  out.text.resize(most_bytes + 1);
  std::size_t used = 0;
  while (used < out.text.size()) {
    const auto n = ::read(in.get(), out.text.data() + used, out.text.size() - used);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return refused("cannot be read: " + library::text_of_errno(errno) + "; look at the disk");
    if (n == 0)
      break;
    used += static_cast<std::size_t>(n);
  }
  if (used > most_bytes)
    return refused("is larger than 64 KiB; put the file there that `troupe cluster certificate` has made");
  out.text.resize(used);
  return out;
}

std::string open_key_text(const fs::path& file) {
  return "the key " + file.string() + " is open to others than its owner; chmod 600 closes it";
}

std::string renewal_text(const certificate_info& x) {
  if (x.is_authority)
    return "make new CAs with `troupe cluster init` in another folder, and a new certificate for every process";
  return "make a new one with `troupe cluster certificate --role " + std::string{to_string(x.role)} + " --name " +
         x.name + " --out NEW-FOLDER` and start the process again with it";
}

verified verify(const fs::path& folder, std::optional<role> expected, time_point now) {
  return check{folder, now}.run(expected);
}

} // namespace troupe::cluster
