// What is in a cluster's folder, with everything that is wrong or will be soon.
#include <troupe/app/cluster/folder.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <tuple>
#include <utility>

namespace troupe::cluster {

namespace fs = std::filesystem;

namespace {

std::string no_longer_used(const fs::path& file) { return "; where it is not used any more, remove " + file.string(); }

// Fills a listing, authorities first.
class lister {
public:
  lister(const fs::path& folder, time_point now) : folder_(folder), now_(now) {}

  listing run() {
    for (const auto x : all_roles)
      look_at_authority(x);
    look_at_records();
    auto own = verify(folder_ / "controller", role::controller, now_);
    for (auto& x : own.errors)
      out_.errors.push_back(std::move(x));
    for (auto& x : own.warnings)
      if (x.find("expires") == std::string::npos) // its record and the CAs tell those
        out_.warnings.push_back(std::move(x));
    return std::move(out_);
  }

private:
  void fault(const fs::path& file, const std::string& text) { out_.errors.push_back(file.string() + ": " + text); }

  // The first of the file, described and listed.
  std::optional<std::pair<x509_handle, certificate_info>> add(const fs::path& file) {
    const auto text = read_small(file);
    if (!text) {
      fault(file, text.why().message);
      return std::nullopt;
    }
    const auto all = certificates_of_pem(text->text);
    const auto info = all ? describe(all->front()) : result<certificate_info>{all.why()};
    if (!info) {
      fault(file, info.why().message + "; take it from a copy of the folder" + no_longer_used(file));
      return std::nullopt;
    }
    out_.certificates.push_back({*info, file});
    return std::pair{all->front(), *info};
  }

  void look_at_end(const listed& x) {
    const auto text = expiry_text(x.info.not_after, now_);
    if (text.empty() || x.is_replaced)
      return;
    const auto whole = text + "; " + renewal_text(x.info) + (x.info.is_authority ? "" : no_longer_used(x.file));
    if (x.info.not_after <= now_)
      fault(x.file, whole);
    else
      out_.warnings.push_back(x.file.string() + ": " + whole);
  }

  void look_at_authority(role of) {
    const std::string name{to_string(of)};
    const auto file = folder_ / "ca" / (name + ".pem");
    const auto key_file = folder_ / "ca" / (name + ".key");
    const auto found = add(file);
    if (!found)
      return;
    const auto& [certificate, info] = *found;
    if (!info.is_authority || info.role != of)
      return fault(file, "is not the CA of role " + name + "; take it from a copy of the folder");
    authorities_[of] = certificate;
    look_at_end(out_.certificates.back());
    const auto text = read_small(key_file);
    if (!text) {
      out_.warnings.push_back(key_file.string() + ": " + text.why().message +
                              "; without it no more certificates of this role can be made here");
      return;
    }
    if (text->is_open_to_others)
      out_.warnings.push_back(open_key_text(key_file));
    const auto key = key_of_pem(text->text);
    if (!key)
      fault(key_file, key.why().message + "; take it from a copy of the folder");
    else if (!key_matches(certificate, *key))
      fault(key_file, "is not the key of " + file.string() + "; take both from one copy of the folder");
  }

  void look_at_records() {
    std::error_code why;
    std::vector<fs::path> files;
    for (fs::directory_iterator it{folder_ / "issued", why}, end; !why && it != end; it.increment(why))
      if (it->path().extension() == ".pem")
        files.push_back(it->path());
    if (why)
      fault(folder_ / "issued", "cannot be read: " + why.message() + "; certificates are made all the same");
    const auto first = out_.certificates.size();
    std::sort(files.begin(), files.end());
    for (const auto& file : files)
      look_at_record(file);
    const auto place = [](const listed& x) { return std::tie(x.info.role, x.info.name, x.info.not_after); };
    std::stable_sort(out_.certificates.begin() + static_cast<std::ptrdiff_t>(first), out_.certificates.end(),
                     [&](const listed& a, const listed& b) { return place(a) < place(b); });
    mark_replaced(first);
    for (auto i = first; i < out_.certificates.size(); ++i)
      look_at_end(out_.certificates[i]);
  }

  void look_at_record(const fs::path& file) {
    const auto found = add(file);
    if (!found)
      return;
    const auto& [certificate, info] = *found;
    const auto authority = authorities_.find(info.role);
    if (authority == authorities_.end()) // which is told already
      return;
    // As of a time when it was good: its end is told apart.
    const auto when = std::clamp(now_, info.not_before, info.not_after - std::chrono::seconds{1});
    if (const auto text = why_not_trusted(certificate, {}, {authority->second}, when);
        info.is_authority || !text.empty())
      fault(file, "does not come from the CA of role " + std::string{to_string(info.role)} + " in this folder (" +
                      text + ")" + no_longer_used(file));
  }

  // By end: of one name the certificate that ends last is the newest.
  void mark_replaced(std::size_t first) {
    std::map<std::pair<role, std::string>, time_point> last;
    for (auto i = first; i < out_.certificates.size(); ++i) {
      const auto& x = out_.certificates[i].info;
      auto& end = last.try_emplace({x.role, x.name}, x.not_after).first->second;
      end = std::max(end, x.not_after);
    }
    for (auto i = first; i < out_.certificates.size(); ++i) {
      auto& x = out_.certificates[i];
      x.is_replaced = x.info.not_after < last.at({x.info.role, x.info.name});
    }
  }

  const fs::path folder_;
  const time_point now_;
  std::map<role, x509_handle> authorities_;
  listing out_;
};

listing list_bundle(const fs::path& folder, time_point now) {
  listing out;
  out.is_cluster = false;
  auto found = verify(folder, std::nullopt, now);
  out.errors = std::move(found.errors);
  out.warnings = std::move(found.warnings);
  const bundle_files files{folder};
  for (const auto& file : {files.certificate, files.authority_of(role::controller), files.authority_of(role::node),
                           files.authority_of(role::client)}) {
    const auto text = read_small(file);
    if (!text)
      continue;
    if (const auto all = certificates_of_pem(text->text))
      for (const auto& x : *all)
        if (auto info = describe(x))
          out.certificates.push_back({std::move(*info), file});
  }
  return out;
}

} // namespace

result<listing> list(const fs::path& folder, time_point now) {
  std::error_code none;
  if (std::any_of(all_roles.begin(), all_roles.end(),
                  [&](role x) { return fs::exists(folder / "ca" / (std::string{to_string(x)} + ".pem"), none); }))
    return lister{folder, now}.run();
  if (fs::exists(bundle_files{folder}.certificate, none))
    return list_bundle(folder, now);
  return error{errc::rejected, folder.string() +
                                   ": is neither the folder of a cluster nor one with a certificate of it; "
                                   "say with --dir where it is, or make one with `troupe cluster init`"};
}

} // namespace troupe::cluster
