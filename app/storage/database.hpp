// The daemon's durable state: small JSON documents in an SQLite database, written by one thread, read at the start.
#pragma once

#include <troupe/actors/control/deployment_store.hpp>
#include <troupe/messages/json_doc.hpp>

#include <filesystem>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace troupe::storage {

/// What keeps the database from being used: the message names the file and says what to do.
class unusable : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// One change of one document.
struct change {
  std::string kind; ///< "deployment", "application", ...
  std::string key;
  json value; ///< null: the document is removed.
};

/// Thread-safe. A change survives `kill -9` and power loss once `done` was called with `errc::none`: write-ahead log,
/// `synchronous=FULL`. Changes that wait at the same time share one transaction, unless one of them fails; each is
/// whole or not there at all, and they take effect in the order in which they were given.
class database final : public control::deployment_store {
public:
  /// Opens `<directory>/state.db`, and makes both where they never existed. Throws `unusable`: not writable, in use by
  /// another process, damaged, truncated, missing although it was made before, or written by a newer release.
  explicit database(const std::filesystem::path& directory);
  ~database() override; ///< Writes what waits.

  database(const database&) = delete;
  database& operator=(const database&) = delete;

  /// All documents of one kind by key, as they were when the database was opened and the changes since were stored.
  std::map<std::string, json> read(const std::string& kind) const;
  /// One of these; null when there is none.
  json find(const std::string& kind, const std::string& key) const;

  /// All of `changes` in one transaction; never blocks.
  void write(std::vector<change> changes, done then);
  /// As above, and waits. Returns what went wrong, `errc::none` when it is stored.
  error write_now(std::vector<change> changes);

  void save(stored_deployment what, done then) override;
  void erase(deployment_name what, done then) override;

  /// From now on nothing changes on disk and every change is acknowledged: a runtime that shuts down removes its
  /// deployments one by one, which is no wish of the operator.
  void freeze();

private:
  struct state;
  std::unique_ptr<state> state_;
};

/// Of the documents of deployments: `to_json(stored_deployment)`.
inline constexpr const char* deployment_kind = "deployment";
/// The key of a deployment's document, and back.
std::string key_of(const deployment_name& name);
deployment_name name_of(const std::string& key);

} // namespace troupe::storage
