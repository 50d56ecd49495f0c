// One table of documents, one writing thread, one transaction for all changes that wait.
#include <troupe/app/storage/database.hpp>
#include <troupe/app/storage/sqlite.hpp>

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <future>
#include <mutex>
#include <span>
#include <sys/file.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace troupe::storage {

namespace {

/// Of the tables. A step from N to N + 1 is added to `migrate`, and never changed once released.
constexpr int schema_version = 1;

namespace fs = std::filesystem;

constexpr const char* remedy = "let this user write there, or choose another one with --data-dir";

/// Held as long as the database is open: two daemons on one directory would overwrite each other's state.
class directory_lock {
public:
  explicit directory_lock(const fs::path& file) : fd_(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
    if (fd_ < 0)
      throw unusable("the data directory " + file.parent_path().string() + " is not writable: " + std::strerror(errno) +
                     "; " + remedy);
    // A process that was killed a moment ago may still be on its way out.
    auto tries = 100;
    while (::flock(fd_, LOCK_EX | LOCK_NB) != 0 && --tries > 0)
      std::this_thread::sleep_for(std::chrono::milliseconds{10});
    if (tries == 0) {
      ::close(fd_);
      throw unusable("the data directory " + file.parent_path().string() +
                     " is in use by another process: stop it, or choose another one with --data-dir");
    }
  }
  ~directory_lock() { ::close(fd_); }
  directory_lock(const directory_lock&) = delete;
  directory_lock& operator=(const directory_lock&) = delete;

private:
  int fd_;
};

fs::path made(const fs::path& directory) {
  std::error_code e;
  fs::create_directories(directory, e);
  if (e)
    throw unusable("the data directory " + directory.string() + " cannot be made: " + e.message() + "; " + remedy);
  return directory;
}

} // namespace

std::string key_of(const deployment_name& name) { return name.application + "/" + name.name; }

deployment_name name_of(const std::string& key) {
  const auto slash = key.find('/');
  return {key.substr(0, slash), key.substr(slash + 1)};
}

struct database::state {
  explicit state(const fs::path& directory)
      : lock(made(directory) / "lock"), file(directory / "state.db"), marker(directory / "state.made"),
        db(open_checked()) {
    load();
    writer = std::thread{[this] { run(); }};
  }

  ~state() {
    {
      const std::lock_guard guard{mutex};
      stopping = true;
    }
    wake.notify_one();
    writer.join();
  }

  /// A database that is gone, or cut to nothing, must not look like one that was never there.
  sqlite open_checked() {
    std::error_code e;
    const bool known = fs::exists(marker, e);
    const auto size = fs::exists(file, e) ? fs::file_size(file, e) : 0;
    if (known && size == 0)
      throw unusable(file.string() + " is missing or empty although it was made before: restore it, or remove " +
                     marker.string() + " to start with nothing");
    try {
      sqlite opened{file.string()};
      if (opened.is_read_only())
        throw unusable(file.string() +
                       " is not writable: give this user the right to, or choose another data directory");
      opened.run("PRAGMA journal_mode=WAL");
      opened.run("PRAGMA synchronous=FULL");
      if (const auto verdict = opened.text("PRAGMA quick_check(1)"); verdict != "ok")
        throw sqlite_error(SQLITE_CORRUPT, verdict);
      migrate(opened);
      if (!known)
        std::ofstream{marker} << "state.db was made by troupe; see its documentation before removing this file\n";
      return opened;
    } catch (const sqlite_error& x) {
      throw unusable(x.is_damage()
                         ? file.string() + " is damaged (" + x.what() + "): restore it from a copy, or remove it and " +
                               marker.string() + " to start with nothing"
                         : file.string() + " cannot be used: " + x.what());
    }
  }

  void migrate(sqlite& to) const {
    const auto version = std::stoi(to.text("PRAGMA user_version"));
    if (version > schema_version)
      throw unusable(file.string() + " was written by a newer release (schema " + std::to_string(version) +
                     ", this one knows up to " + std::to_string(schema_version) + ")");
    if (version == schema_version)
      return;
    to.run("BEGIN IMMEDIATE");
    to.run("CREATE TABLE documents (kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, "
           "PRIMARY KEY (kind, key)) WITHOUT ROWID");
    to.run("PRAGMA user_version=" + std::to_string(schema_version));
    to.run("COMMIT");
  }

  void load() {
    try {
      auto rows = db.prepare("SELECT kind, key, value FROM documents");
      while (rows.step())
        documents[rows.column(0)][rows.column(1)] = json::parse(rows.column(2));
    } catch (const sqlite_error& x) {
      throw unusable(file.string() + " cannot be read: " + x.what());
    } catch (const json::exception& x) {
      throw unusable(file.string() + " has a damaged document: " + x.what());
    }
  }

  // -- the writing thread

  struct job {
    std::vector<change> changes;
    done then;
  };

  void run() {
    std::unique_lock guard{mutex};
    for (;;) {
      wake.wait(guard, [this] { return stopping || !jobs.empty(); });
      if (jobs.empty())
        return;
      auto batch = std::exchange(jobs, {});
      const bool skip = frozen;
      guard.unlock();
      std::span<job> all{batch};
      auto why = skip ? error{} : store(all);
      // What one change cannot is no fault of the others that waited with it.
      const bool one_by_one = why.code != errc::none && all.size() > 1;
      if (why.code == errc::none && !skip)
        note(all);
      for (std::size_t i = 0; i < all.size(); ++i) {
        if (one_by_one && (why = store(all.subspan(i, 1))).code == errc::none)
          note(all.subspan(i, 1));
        if (all[i].then)
          all[i].then(why);
      }
      batch.clear(); // what the callbacks hold may end here, not under the lock
      guard.lock();
    }
  }

  error store(std::span<const job> batch) {
    try {
      db.run("BEGIN IMMEDIATE");
      auto put = db.prepare("INSERT OR REPLACE INTO documents VALUES (?, ?, ?)");
      auto drop = db.prepare("DELETE FROM documents WHERE kind = ? AND key = ?");
      for (const auto& x : batch)
        for (const auto& c : x.changes) {
          auto& statement = c.value.is_null() ? drop : put;
          statement.reset();
          statement.bind(1, c.kind);
          statement.bind(2, c.key);
          if (!c.value.is_null())
            statement.bind(3, c.value.dump(-1, ' ', false, json::error_handler_t::replace));
          statement.step();
        }
      put.finish();
      drop.finish();
      db.run("COMMIT");
      return {};
    } catch (const sqlite_error& x) {
      db.try_run("ROLLBACK");
      return {errc::not_stored, file.string() + ": " + x.what()};
    }
  }

  void note(std::span<job> batch) {
    const std::lock_guard guard{documents_mutex};
    for (auto& x : batch)
      for (auto& c : x.changes)
        if (c.value.is_null())
          documents[c.kind].erase(c.key);
        else
          documents[c.kind].insert_or_assign(c.key, std::move(c.value));
  }

  directory_lock lock;
  fs::path file;
  fs::path marker;
  sqlite db; // of the writing thread once that runs
  mutable std::mutex documents_mutex;
  std::map<std::string, std::map<std::string, json>> documents;
  std::mutex mutex;
  std::condition_variable wake;
  std::vector<job> jobs;
  bool stopping = false;
  bool frozen = false;
  std::thread writer;
};

database::database(const fs::path& directory) : state_(std::make_unique<state>(directory)) {}

database::~database() = default;

std::map<std::string, json> database::read(const std::string& kind) const {
  const std::lock_guard guard{state_->documents_mutex};
  const auto it = state_->documents.find(kind);
  return it == state_->documents.end() ? std::map<std::string, json>{} : it->second;
}

json database::find(const std::string& kind, const std::string& key) const {
  const std::lock_guard guard{state_->documents_mutex};
  const auto of_kind = state_->documents.find(kind);
  if (of_kind == state_->documents.end())
    return nullptr;
  const auto it = of_kind->second.find(key);
  return it == of_kind->second.end() ? json(nullptr) : it->second;
}

void database::write(std::vector<change> changes, done then) {
  {
    const std::lock_guard guard{state_->mutex};
    state_->jobs.push_back({std::move(changes), std::move(then)});
  }
  state_->wake.notify_one();
}

error database::write_now(std::vector<change> changes) {
  std::promise<error> stored;
  auto result = stored.get_future();
  write(std::move(changes), [&](error why) { stored.set_value(std::move(why)); });
  return result.get();
}

void database::save(stored_deployment what, done then) {
  write({{deployment_kind, key_of(what.name), to_json(what)}}, std::move(then));
}

void database::erase(deployment_name what, done then) {
  write({{deployment_kind, key_of(what), nullptr}}, std::move(then));
}

void database::freeze() {
  const std::lock_guard guard{state_->mutex};
  state_->frozen = true;
}

} // namespace troupe::storage
