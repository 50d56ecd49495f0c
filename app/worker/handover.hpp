// What a worker process is told when it starts: one JSON document through an inherited descriptor, on no command line.
#pragma once

#include <troupe/messages/json_doc.hpp>
#include <troupe/messages/runtime_env.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace troupe::worker {

/// The descriptor in a worker: first the document's length (8 bytes, in the machine's order) and the document; its end
/// means that the daemon is gone.
inline constexpr int life_fd = 3;

/// What a worker runs. A value; equal ones may share a worker.
struct launch {
  std::string application;
  std::string digest; ///< Of a stored library.
  std::string import_path;
  json args = nullptr;
  json runtime_env = nullptr;
  friend bool operator==(const launch&, const launch&) = default;
};

/// A value.
struct handover {
  std::uint64_t worker = 0;
  std::string secret;
  std::uint16_t port = 0;    ///< Of the daemon's door, on 127.0.0.1.
  int parent = 0;            ///< Process id.
  std::uint32_t threads = 2; ///< That user code may block, and one.
  std::filesystem::path data_dir;
  std::vector<std::filesystem::path> code_dirs;
  std::filesystem::path scratch; ///< Of this worker alone; made by it, removed by the daemon.
  launch what;
};

json to_json(const handover& x);
/// Throws json::exception for a document that is none.
handover handover_from(const json& x);

} // namespace troupe::worker
