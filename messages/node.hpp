// What a controller and its nodes say to each other, over CAF's network layer; between machines by TLS.
//
//   node -> door    node_knock            its first word; its shape never changes, so that any two releases read it
//   door -> node    node_challenge        the controller's nonce, or `node_refused`
//   node -> door    node_join             what it is and, with certificates, its proof
//   door -> node    node_welcome          its id, the controller's proof, where code is had; or `node_refused`
//   node -> door    node_brings           what it has, if there is something to adopt
//   door -> node    node_settle           no more of that is wanted
//   node -> door    node_settled          the rest has ended: replicas may be placed
//   node -> door    node_word             a sign of life, every `word_every`
//
// Then the controller orders code (`load_code`, `unload_code`), and the replicas of the controller's process talk to
// the hosts that the node starts for it as to those of worker processes (worker.hpp). Orders and answers carry the
// node's id: those of another one are of an earlier membership and change nothing. How requests find replicas from a
// node's process is in routes.hpp.
#pragma once

#include <troupe/messages/caf_compat.hpp>
#include <troupe/messages/deployment_spec.hpp>
#include <troupe/messages/json_doc.hpp>
#include <troupe/messages/resources.hpp>
#include <troupe/messages/routes.hpp>
#include <troupe/messages/worker.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace troupe {

/// Both sides refuse another one: messages are positional and carry no version of their own. Another number wherever a
/// struct that goes between them, those of worker.hpp included, gets another shape.
inline constexpr std::uint32_t node_wire_version = 3;

// -- joining -------------------------------------------------------------------------------------------------------

/// The controller wants to know who it is.
struct node_challenge {
  std::uint64_t link = 0; ///< Of this connection; `node_join` carries it.
  std::uint32_t wire_version = 0;
  std::string release;
  std::string nonce;      ///< To be signed.
  std::string controller; ///< The CAF node id of the controller, as it sees itself.
};
TROUPE_INSPECT(node_challenge, x.link, x.wire_version, x.release, x.nonce, x.controller)

/// Who one is: certificates (DER) and a signature. Empty without certificates.
struct node_proof {
  std::vector<std::string> certificates;
  std::string signature;
};
TROUPE_INSPECT(node_proof, x.certificates, x.signature)

struct node_refused {
  std::string why;
  bool for_good = false; ///< Not to be tried again.
};
TROUPE_INSPECT(node_refused, x.why, x.for_good)

/// Wants `bytes` from `offset` on of the file with this SHA-256; answered by `code_chunk` or `code_missing`.
struct ask_code_chunk;
using code_source_actor = caf::typed_actor<takes<ask_code_chunk>>;

struct node_welcome {
  std::uint64_t link = 0;
  std::uint64_t node = 0; ///< Its id from now on.
  bool resumed = false;   ///< It is who it was, with all that it has; else what it has is adopted, or ends.
  node_proof proof;       ///< Over the node's nonce.
  milliseconds word_every{600};
  milliseconds adopt_within{15'000}; ///< Without `node_settle`, what is not adopted by then ends.
  code_source_actor code;
};
TROUPE_INSPECT(node_welcome, x.link, x.node, x.resumed, x.proof, x.word_every, x.adopt_within, x.code)

// -- code ----------------------------------------------------------------------------------------------------------

/// One file of a library.
struct code_file {
  std::string soname; ///< Of a library that comes along; empty for the library itself.
  std::string digest; ///< SHA-256 of the file.
  std::string source; ///< For people.
};
TROUPE_INSPECT(code_file, x.soname, x.digest, x.source)

/// Brings one load of a library to a node: it is fetched, loaded, and a host started for it. Answered by `code_loaded`.
struct load_code {
  std::uint64_t node = 0;
  std::uint64_t code = 0; ///< Names this load, in this run of the controller.
  std::string application;
  std::string deployment; ///< Whose replicas will be started of it, as the library declares it.
  std::string digest;     ///< Of the library with all that comes along.
  std::string import_path;
  json_doc args;
  std::vector<code_file> files; ///< In the order in which they are loaded.
};
TROUPE_INSPECT(load_code, x.node, x.code, x.application, x.deployment, x.digest, x.import_path, x.args, x.files)

/// No replica needs it any more, or it is not waited for any more.
struct unload_code {
  std::uint64_t node = 0;
  std::uint64_t code = 0;
};
TROUPE_INSPECT(unload_code, x.node, x.code)

struct code_loaded {
  std::uint64_t node = 0;
  std::uint64_t code = 0;
  std::uint8_t failure_code = 0; ///< `errc`; 0 = it is loaded.
  std::string failure;
  worker_host_actor host;
};
TROUPE_INSPECT(code_loaded, x.node, x.code, x.failure_code, x.failure, x.host)

struct code_chunk {
  std::uint64_t ask = 0;
  std::uint64_t total = 0; ///< Of the whole file.
  std::string bytes;
};
TROUPE_INSPECT(code_chunk, x.ask, x.total, x.bytes)

struct code_missing {
  std::uint64_t ask = 0;
  std::string why;
};
TROUPE_INSPECT(code_missing, x.ask, x.why)

using code_sink_actor = caf::typed_actor<takes<code_chunk>, takes<code_missing>>;

struct ask_code_chunk {
  std::uint64_t ask = 0;
  std::string digest;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0; ///< At most; the last one is shorter.
  code_sink_actor to;
};
TROUPE_INSPECT(ask_code_chunk, x.ask, x.digest, x.offset, x.bytes, x.to)

// -- the end -------------------------------------------------------------------------------------------------------

/// Nothing is left there: its process may end, as it wanted, or is to, since an operator has removed it.
struct node_released {
  std::uint64_t node = 0;
};
TROUPE_INSPECT(node_released, x.node)

/// So many of what it has brought are adopted, by orders that are on their way; the rest is to end. Answered by
/// `node_settled`.
struct node_settle {
  std::uint64_t node = 0;
  std::uint32_t adopted = 0;
};
TROUPE_INSPECT(node_settle, x.node, x.adopted)

using node_agent_actor = caf::typed_actor<takes<node_challenge>, takes<node_refused>, takes<node_welcome>,
                                          takes<load_code>, takes<unload_code>, takes<node_settle>,
                                          takes<node_released>, takes<replica_sets>, takes<node_routes>>;

// -- node -> door --------------------------------------------------------------------------------------------------

/// The first word. Never changes its shape.
struct node_knock {
  std::uint32_t wire_version = 0;
  std::string release;
  node_agent_actor agent;
};
TROUPE_INSPECT(node_knock, x.wire_version, x.release, x.agent)

struct node_label {
  std::string key;
  std::string value;
};
TROUPE_INSPECT(node_label, x.key, x.value)

struct node_join {
  std::uint64_t link = 0;
  std::string name;
  std::uint64_t incarnation = 0; ///< Drawn at the start of its process, never 0.
  std::string host;              ///< Where it runs, for people.
  std::vector<node_label> labels;
  resources total;
  std::string peer_host; ///< Where other nodes reach it.
  std::uint16_t peer_port = 0;
  std::string nonce; ///< For the controller's proof.
  node_proof proof;  ///< Over the controller's nonce.
};
TROUPE_INSPECT(node_join, x.link, x.name, x.incarnation, x.host, x.labels, x.total, x.peer_host, x.peer_port, x.nonce,
               x.proof)

/// What it has of an earlier membership, that nobody owns by now. Not sent where there is nothing.
struct node_brings {
  std::uint64_t node = 0;
  std::vector<replica_kind> kinds; ///< One element for each.
};
TROUPE_INSPECT(node_brings, x.node, x.kinds)

/// What it had under an earlier id is adopted or has ended: replicas may be placed.
struct node_settled {
  std::uint64_t node = 0;
  std::uint32_t brought = 0; ///< For people.
  std::uint32_t adopted = 0;
};
TROUPE_INSPECT(node_settled, x.node, x.brought, x.adopted)

struct node_word {
  std::uint64_t link = 0;
};
TROUPE_INSPECT(node_word, x.link)

/// Its process was asked to end: what it has is to be moved away. Answered by `node_released`.
struct node_leaving {
  std::uint64_t node = 0;
};
TROUPE_INSPECT(node_leaving, x.node)

using node_door_actor =
    caf::typed_actor<takes<node_knock>, takes<node_join>, takes<node_brings>, takes<node_settled>, takes<node_word>,
                     takes<node_leaving>, takes<code_loaded>, takes<watch_deployments>>;

} // namespace troupe
