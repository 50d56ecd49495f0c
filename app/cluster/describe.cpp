// Reads role, name and hosts from a certificate. Texts in it may have been chosen by anybody: only what passes the
// grammars of names.hpp gets out, and lengths count, not zero bytes.
#include <troupe/app/cluster/openssl_owner.hpp>
#include <troupe/app/cluster/x509.hpp>

#include <arpa/inet.h>
#include <ctime>
#include <openssl/err.h>
#include <optional>

namespace troupe::cluster {

namespace {

constexpr std::string_view scheme = "troupe://";
constexpr std::string_view authority_host = "authority";

error malformed(std::string text) { return {errc::rejected, std::move(text)}; }

std::string_view view_of(const ASN1_STRING* x) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(x)), static_cast<std::size_t>(ASN1_STRING_length(x))};
}

std::optional<time_point> time_of(const ASN1_TIME* x) {
  std::tm parts{};
  if (!x || ASN1_TIME_to_tm(x, &parts) != 1)
    return std::nullopt;
  return std::chrono::system_clock::from_time_t(::timegm(&parts));
}

// Where there is exactly one.
std::optional<std::string_view> subject_part(const x509_handle& x, int what) {
  const auto* subject = X509_get_subject_name(x.get());
  const int at = X509_NAME_get_index_by_NID(subject, what, -1);
  if (at < 0 || X509_NAME_get_index_by_NID(subject, what, at) >= 0)
    return std::nullopt;
  return view_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
}

std::optional<std::string> address_text(std::string_view bytes) {
  char text[INET6_ADDRSTRLEN];
  const int family = bytes.size() == 4 ? AF_INET : AF_INET6;
  if ((bytes.size() != 4 && bytes.size() != 16) || !::inet_ntop(family, bytes.data(), text, sizeof text))
    return std::nullopt;
  return text;
}

std::string serial_text(const x509_handle& x) {
  const owned_number number{ASN1_INTEGER_to_BN(X509_get0_serialNumber(x.get()), nullptr)};
  char* digits = number ? BN_bn2hex(number.get()) : nullptr;
  std::string out = digits ? digits : "";
  OPENSSL_free(digits);
  return out;
}

struct alternative_names {
  std::vector<std::string> uris; ///< Of our scheme.
  std::vector<std::string> hosts;
};

std::optional<alternative_names> names_in(const x509_handle& x) {
  int state = 0; // -1: none, -2: more than one
  const owned_names all{static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(x.get(), NID_subject_alt_name, &state, nullptr))};
  if (!all)
    return state == -1 ? std::optional<alternative_names>{alternative_names{}} : std::nullopt;
  alternative_names out;
  for (int i = 0; i < sk_GENERAL_NAME_num(all.get()); ++i) {
    int kind = 0;
    const auto* value =
        static_cast<const ASN1_STRING*>(GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(all.get(), i), &kind));
    if (kind == GEN_URI && view_of(value).starts_with(scheme)) {
      out.uris.emplace_back(view_of(value));
    } else if (kind == GEN_DNS && is_host(view_of(value))) {
      out.hosts.emplace_back(view_of(value));
    } else if (kind == GEN_IPADD) {
      if (auto text = address_text(view_of(value)))
        out.hosts.push_back(std::move(*text));
    }
  }
  return out;
}

} // namespace

result<certificate_info> describe(const x509_handle& x) {
  const auto names = names_in(x);
  ERR_clear_error();
  if (!names)
    return malformed("its alternative names are malformed");
  if (names->uris.size() != 1)
    return malformed("it has " + std::to_string(names->uris.size()) +
                     " names of the form troupe://ROLE/NAME instead of one: troupe made it not");
  const auto uri = std::string_view{names->uris.front()}.substr(scheme.size());
  const auto slash = uri.find('/');
  const auto host = uri.substr(0, slash);
  const auto path = slash == std::string_view::npos ? std::string_view{} : uri.substr(slash + 1);

  certificate_info out;
  out.is_authority = host == authority_host;
  const auto role = parse_role(out.is_authority ? path : host);
  const auto common_name = subject_part(x, NID_commonName);
  const auto cluster = subject_part(x, NID_organizationName);
  if (!role || !common_name || (!out.is_authority && (!is_name(path) || path != *common_name)) || !cluster ||
      !is_name(*cluster))
    return malformed("its name, role and cluster are malformed or contradict each other");
  if (out.is_authority != (X509_check_ca(x.get()) == 1))
    return malformed("it says both that it is a CA and that it is none");
  out.role = *role;
  out.name = out.is_authority ? "CA" : std::string{path};
  out.cluster = *cluster;
  out.hosts = names->hosts;
  const auto not_before = time_of(X509_get0_notBefore(x.get()));
  const auto not_after = time_of(X509_get0_notAfter(x.get()));
  ERR_clear_error();
  if (!not_before || !not_after)
    return malformed("its times are malformed");
  out.not_before = *not_before;
  out.not_after = *not_after;
  out.serial = serial_text(x);
  return out;
}

} // namespace troupe::cluster
