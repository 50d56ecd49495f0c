// At a join each end shows that it holds the key of a certificate of the role that it claims.
//
//   verifier: nonce = make_nonce()   --- nonce, its node id, wire version --->   prover: make_proof(identity,
//   challenge) verifier: check_proof(...)       <-- certificates and signature ----------
//
// CAF's TLS lets in whoever has a certificate of any trusted role and shows nobody which one that is; this tells the
// roles and names apart. Do it both ways: a node trusts the CA of nodes in TLS, so only a proof with role `controller`
// tells it that the other end is no other node. Use each nonce once, for one join, and forget it after some seconds.
//
// What a proof cannot show:
// * that the other end of the TLS connection is the one who signed. CAF keeps the connection's keys to itself, so the
//   signature is not bound to them. Who has any trusted certificate and gets between the two can hand a proof on. The
//   signed node ids limit this: a proof is for one pair of CAF processes. But CAF's ids are claimed, not proven.
// * that messages after the join come from the one who signed. BASP authenticates none; what TLS let in may send to any
//   actor whose address it knows.
// * that a certificate was not withdrawn. There are no revocation lists; a stolen key is good until its certificate
// ends,
//   or until its role has a new CA.
#pragma once

#include <troupe/app/cluster/bundle.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::cluster {

inline constexpr std::size_t nonce_bytes = 32;

/// What both ends know of one join.
struct challenge {
  std::string nonce;              ///< 32 random bytes of the verifier.
  std::string verifier;           ///< CAF node id, in the form that both ends agree on; any bytes.
  std::string prover;             ///< Likewise.
  std::uint32_t wire_version = 0; ///< Of troupe's messages.
};

/// A value that travels; nothing in it is secret.
struct proof {
  std::vector<std::string> certificates; ///< DER: the prover's own, then those between it and its CA; at most 4.
  std::string signature;                 ///< Over `signed_text`, with SHA-256.
};

/// Random; `unavailable` when there are no random bytes.
result<std::string> make_nonce();

/// `rejected` for a nonce of another size, so that nobody gets other texts signed; `unavailable` where OpenSSL fails.
result<proof> make_proof(const identity& self, const challenge& of);

/// Whose proof it is, when it holds: the certificate comes from one of `authorities` (the CA of role `claimed`), is
/// good at `now`, is of that role and has that name, and its key signed exactly this. Else `rejected`, with the reason.
/// Never throws for what a peer sent; takes at most four certificates of 8 KiB each and a signature of 1 KiB.
result<certificate_info> check_proof(const x509_list& authorities, role claimed, std::string_view name,
                                     const challenge& of, const proof& x, time_point now);

/// What is signed: a fixed text, then each field behind its length in 8 bytes (big-endian), so that no byte can be
/// moved from one field to the next. For tests.
std::string signed_text(const challenge& of, role claimed, std::string_view name);

} // namespace troupe::cluster
