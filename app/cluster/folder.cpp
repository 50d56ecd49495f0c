// Makes and asks the CAs on disk. A record of a certificate is written before its bundle: one of a bundle that was not
// made does no harm, a certificate that nobody knows of would.
#include <troupe/app/cluster/folder.hpp>
#include <troupe/app/cluster/staged_folder.hpp>
#include <troupe/app/library/file.hpp>

#include <map>
#include <openssl/crypto.h>
#include <utility>

namespace troupe::cluster {

namespace fs = std::filesystem;

namespace {

using authority_texts = std::map<role, std::string>; // PEM

result<bool> write_key(staged_folder& to, const fs::path& file, const key_handle& key) {
  auto text = to_pem(key);
  auto done = to.write(file, text);
  OPENSSL_cleanse(text.data(), text.size());
  return done;
}

result<bool> write_bundle(staged_folder& to, const fs::path& below, const credential& x, role of,
                          const authority_texts& authorities) {
  const bundle_files files{below};
  if (auto done = to.write(files.certificate, to_pem(x.certificate)); !done)
    return done;
  if (auto done = write_key(to, files.key, x.key); !done)
    return done;
  for (const auto& [role, text] : authorities)
    if (auto done = to.write(files.authority_of(role), text); !done)
      return done;
  std::string trust;
  for (const auto role : trusted_by(of))
    trust += authorities.at(role);
  return to.write(files.trust, trust);
}

std::string record_name(const certificate_info& x) {
  return std::string{to_string(x.role)} + '-' + x.name + '-' + x.serial + ".pem";
}

fs::path authority_file(const fs::path& folder, role x, const char* end) {
  return folder / "ca" / (std::string{to_string(x)} + end);
}

error in_file(const fs::path& file, const error& why) { return {why.code, file.string() + ": " + why.message}; }

result<x509_handle> read_authority(const fs::path& folder, role x) {
  const auto file = authority_file(folder, x, ".pem");
  const auto text = read_small(file);
  if (!text)
    return error{errc::rejected, folder.string() + ": is not the folder of a cluster (" + file.string() + ": " +
                                     text.why().message +
                                     "); say with --dir where it is, or make one with `troupe "
                                     "cluster init`"};
  const auto all = certificates_of_pem(text->text);
  if (!all)
    return in_file(file, {errc::rejected, all.why().message + "; take it from a copy of the folder"});
  return all->front();
}

result<credential> read_credential(const fs::path& folder, role of) {
  auto certificate = read_authority(folder, of);
  if (!certificate)
    return certificate.why();
  const auto file = authority_file(folder, of, ".key");
  auto text = read_small(file);
  if (!text)
    return error{errc::unavailable, file.string() + ": the CA's key cannot be read (" + text.why().message +
                                        "); certificates are made where the CA's keys are kept"};
  auto key = key_of_pem(text->text);
  OPENSSL_cleanse(text->text.data(), text->text.size());
  if (!key)
    return in_file(file, {errc::rejected, key.why().message + "; take it from a copy of the folder"});
  if (!key_matches(*certificate, *key))
    return error{errc::rejected, file.string() + ": is not the key of " + authority_file(folder, of, ".pem").string() +
                                     "; take both from one copy of the folder"};
  return credential{std::move(*certificate), std::move(*key)};
}

} // namespace

result<certificate_info> init(const fs::path& folder, const new_cluster& x, time_point now) {
  std::map<role, credential> authorities;
  authority_texts texts;
  for (const auto role : all_roles) {
    auto made = make_authority(role, x.name, x.authority_days, now);
    if (!made)
      return made.why();
    texts[role] = to_pem(made->certificate);
    authorities.emplace(role, std::move(*made));
  }
  const auto controller =
      issue(authorities.at(role::controller),
            {.role = role::controller, .name = "controller", .hosts = x.controller_hosts}, x.days, now);
  if (!controller)
    return controller.why();
  auto info = describe(controller->certificate);
  if (!info)
    return info.why();

  if (is_taken(folder)) // told before files are written; `publish` looks again
    return error{errc::rejected, folder.string() + ": is there already and is not overwritten: certificates that were "
                                                   "made with its CAs would be worth nothing; choose another --dir, or "
                                                   "move it away"};
  staged_folder stage{folder};
  for (const auto& [role, made] : authorities) {
    if (auto done = stage.write(authority_file({}, role, ".pem"), texts.at(role)); !done)
      return done.why();
    if (auto done = write_key(stage, authority_file({}, role, ".key"), made.key); !done)
      return done.why();
  }
  if (auto done = stage.write(fs::path{"issued"} / record_name(*info), to_pem(controller->certificate)); !done)
    return done.why();
  if (auto done = write_bundle(stage, "controller", *controller, role::controller, texts); !done)
    return done.why();
  if (auto done = stage.publish(); !done)
    return done.why();
  return info;
}

result<new_bundle> issue_bundle(const fs::path& folder, const subject& to, int days, const fs::path& out,
                                time_point now) {
  const auto authority = read_credential(folder, to.role);
  if (!authority)
    return authority.why();
  authority_texts texts;
  for (const auto role : all_roles) {
    const auto other = read_authority(folder, role);
    if (!other)
      return other.why();
    texts[role] = to_pem(*other);
  }
  const auto made = issue(*authority, to, days, now);
  if (!made)
    return made.why();
  auto info = describe(made->certificate);
  if (!info)
    return info.why();

  const auto target = out.empty() ? folder / "bundles" / (std::string{to_string(to.role)} + '-' + to.name) : out;
  if (is_taken(target))
    return error{errc::rejected, target.string() +
                                     ": is there already and is not overwritten; say with --out where the "
                                     "new one goes, or move that one away"};
  staged_folder stage{target};
  if (auto done = write_bundle(stage, {}, *made, to.role, texts); !done)
    return done.why();
  std::error_code why;
  fs::create_directories(folder / "issued", why); // where somebody removed it
  const auto record = folder / "issued" / record_name(*info);
  if (auto done = library::write_text(record, to_pem(made->certificate)); !done)
    return done.why();
  if (auto done = stage.publish(); !done)
    return done.why();
  return new_bundle{std::move(*info), target};
}

} // namespace troupe::cluster
