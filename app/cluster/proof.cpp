// ECDSA or RSA over SHA-256; the order and form of the fields is fixed for version 1 of the text.
#include <troupe/app/cluster/openssl_owner.hpp>
#include <troupe/app/cluster/proof.hpp>

#include <algorithm>
#include <openssl/err.h>
#include <openssl/rand.h>

namespace troupe::cluster {

namespace {

constexpr std::string_view context = "troupe cluster join proof, version 1";
constexpr std::size_t most_chain = 4;
constexpr std::size_t most_certificate_bytes = std::size_t{8} << 10U;
constexpr std::size_t most_signature_bytes = std::size_t{1} << 10U;

error not_proven(std::string text) { return {errc::rejected, std::move(text)}; }

void append(std::string& to, std::uint64_t x) {
  for (unsigned shift = 64; shift > 0; shift -= 8)
    to += static_cast<char>((x >> (shift - 8)) & 0xFFU);
}

void append_field(std::string& to, std::string_view field) {
  append(to, field.size());
  to += field;
}

const unsigned char* bytes_of(const std::string& x) { return reinterpret_cast<const unsigned char*>(x.data()); }

bool has_signed(const x509_handle& x, const std::string& text, const std::string& signature) {
  auto* key = X509_get0_pubkey(x.get());
  const owned_digest digest{EVP_MD_CTX_new()};
  const bool ok =
      key && digest && EVP_DigestVerifyInit(digest.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
      EVP_DigestVerify(digest.get(), bytes_of(signature), signature.size(), bytes_of(text), text.size()) == 1;
  ERR_clear_error();
  return ok;
}

} // namespace

result<std::string> make_nonce() {
  std::string out(nonce_bytes, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(out.size())) != 1)
    return error{errc::unavailable, "there are no random bytes: " + openssl_reason()};
  return out;
}

std::string signed_text(const challenge& of, role claimed, std::string_view name) {
  std::string out;
  append_field(out, context);
  append_field(out, of.nonce);
  append_field(out, of.verifier);
  append_field(out, of.prover);
  append_field(out, to_string(claimed));
  append_field(out, name);
  append(out, of.wire_version);
  return out;
}

result<proof> make_proof(const identity& self, const challenge& of) {
  if (of.nonce.size() != nonce_bytes)
    return not_proven("a nonce has " + std::to_string(nonce_bytes) + " bytes, not " + std::to_string(of.nonce.size()));
  ERR_clear_error();
  proof out;
  for (const auto& x : self.certificates)
    out.certificates.push_back(to_der(x));
  const auto text = signed_text(of, self.info.role, self.info.name);
  const owned_digest digest{EVP_MD_CTX_new()};
  std::size_t size = 0;
  bool ok = digest && EVP_DigestSignInit(digest.get(), nullptr, EVP_sha256(), nullptr, self.key.get()) == 1 &&
            EVP_DigestSign(digest.get(), nullptr, &size, bytes_of(text), text.size()) == 1;
  if (ok) {
    out.signature.resize(size);
    ok = EVP_DigestSign(digest.get(), reinterpret_cast<unsigned char*>(out.signature.data()), &size, bytes_of(text),
                        text.size()) == 1;
  }
  if (!ok)
    return error{errc::unavailable, "the proof cannot be signed: " + openssl_reason()};
  out.signature.resize(size); // of ECDSA it varies
  return out;
}

result<certificate_info> check_proof(const x509_list& authorities, role claimed, std::string_view name,
                                     const challenge& of, const proof& x, time_point now) {
  const std::string role_text{to_string(claimed)};
  if (of.nonce.size() != nonce_bytes)
    return not_proven("the nonce has not " + std::to_string(nonce_bytes) + " bytes");
  if (!is_name(name))
    return not_proven("the name takes " + std::string{allowed_names});
  if (x.certificates.empty() || x.certificates.size() > most_chain || x.signature.size() > most_signature_bytes ||
      std::any_of(x.certificates.begin(), x.certificates.end(),
                  [](const std::string& der) { return der.size() > most_certificate_bytes; }))
    return not_proven("the proof has no certificate, or is too large");
  x509_list chain;
  for (const auto& der : x.certificates) {
    auto one = certificate_of_der(der);
    if (!one)
      return not_proven("a certificate in the proof " + one.why().message);
    chain.push_back(std::move(*one));
  }
  for (const auto& authority : authorities)
    if (const auto about = describe(authority); !about || !about->is_authority || about->role != claimed)
      return not_proven("a CA to check it with is not that of role " + role_text);
  auto info = describe(chain.front());
  if (!info)
    return not_proven("the certificate is not usable: " + info.why().message);
  if (info->is_authority || info->role != claimed)
    return not_proven("the certificate is that of a " + std::string{info->is_authority ? "CA" : to_string(info->role)} +
                      ", not of a " + role_text);
  if (info->name != name)
    return not_proven("the certificate has the name \"" + info->name + "\", not \"" + std::string{name} + '"');
  if (info->not_before > now)
    return not_proven("the certificate is not valid before " + date_text(info->not_before) +
                      ", and the clock here says " + date_text(now));
  if (info->not_after <= now)
    return not_proven("the certificate " + expiry_text(info->not_after, now) + "; " + renewal_text(*info));
  if (const auto why = why_not_trusted(chain.front(), {chain.begin() + 1, chain.end()}, authorities, now); !why.empty())
    return not_proven("the certificate does not come from the CA of role " + role_text + " (" + why + ")");
  if (!has_signed(chain.front(), signed_text(of, claimed, name), x.signature))
    return not_proven(
        "the signature is not of the certificate's key over this nonce, these ids, role, name and version");
  return std::move(*info);
}

} // namespace troupe::cluster
