// Gives nodes the files of libraries, chunk by chunk.
#pragma once

#include <troupe/app/library/store.hpp>
#include <troupe/messages/node.hpp>

#include <caf/fwd.hpp>

#include <cstdint>

namespace troupe::cluster {

/// What an answer has at most, whatever is asked for: what else uses the connection waits for it.
inline constexpr std::uint64_t max_code_chunk_bytes = std::uint64_t{1} << 20U;

/// The controller's side: answers each `ask_code_chunk` once, to its `to`. By `code_chunk` with what the file has from
/// there on, as much as was asked for, `max_code_chunk_bytes` or the rest, whichever is least; by `code_missing` where
/// there is none: it is no digest, there is no such file, it ends before the offset, it cannot be read. What a peer
/// sends never ends it. It keeps no file open and has a copy of `files`; ends when nobody knows it any more.
code_source_actor spawn_code_source(caf::actor_system& sys, const library::store& files);

} // namespace troupe::cluster
