// A node's copies of the code that its replicas need: brought from the controller, checked, kept within a limit.
//
// What is decided is in actors/nodes/fetcher.hpp; this is its disk and its line to the controller. In the code folder:
//   <digest>.so       a file that is whole and was checked; its time is when it was last needed
//   <digest>.needs    store::accept's, of a library that brings others along
//   fetch-<n>         a file that is not whole; goes with the next start
#pragma once

#include <troupe/actors/control/environment.hpp>
#include <troupe/actors/nodes/fetcher.hpp>
#include <troupe/app/library/store.hpp>
#include <troupe/messages/error.hpp>
#include <troupe/messages/node.hpp>

#include <caf/fwd.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe::cluster {

/// What a node's agent needs of its cache.
class code_supply {
public:
  /// Called once: nothing when the library can be loaded, else why not. Must not throw, nor call the supply.
  using done_function = std::function<void(std::optional<error>)>;

  virtual ~code_supply() = default;
  /// What is missing is asked for there from now on, and what was asked for elsewhere again.
  virtual void connected(code_source_actor source) = 0;
  /// The controller is not heard of any more. What is being fetched waits for the next one.
  virtual void disconnected() = 0;
  /// Brings, checks and keeps all files of a library, until `drop(user)`; `files` as `load_code` has them. Without a
  /// controller it waits for one. The user is gone with an error. Precondition: `user` was never used before.
  virtual void need(std::uint64_t user, const std::string& digest, std::vector<code_file> files,
                    done_function done) = 0;
  /// It is not needed any more. An unknown user, or one that failed, changes nothing.
  virtual void drop(std::uint64_t user) = 0;
};

/// A value.
struct code_cache_options {
  nodes::fetch_limits limits{}; ///< `chunk_bytes` is `max_code_chunk_bytes` at most.
  std::function<void(control::log_level, const std::string&)> log{}; ///< May be empty. Any thread.
};

/// Thread-safe; nothing here blocks but `stop`. One thread of its own, an actor, does the work of the disk. One per
/// store, whose folder is the cache's alone. Ends before the store and the actor system.
class code_cache final : public code_supply {
public:
  code_cache(caf::actor_system& sys, library::store& files, code_cache_options options = {});
  ~code_cache() override; ///< As `stop`.
  code_cache(const code_cache&) = delete;
  code_cache& operator=(const code_cache&) = delete;

  void connected(code_source_actor source) override;
  void disconnected() override;
  /// `done` is called on the cache's thread. Errors: `invalid_spec`: the files are not those of `digest`;
  /// `unavailable`, with library, file, cause and what to do: it cannot be had; `runtime_stopped`: by `stop`, or, on
  /// the caller's thread, after it.
  void need(std::uint64_t user, const std::string& digest, std::vector<code_file> files, done_function done) override;
  /// `done` is not called once the cache's thread has taken this up.
  void drop(std::uint64_t user) override;

  /// What waits gets `runtime_stopped`, what is half there is removed; when it returns, no `done` and no log line
  /// comes any more, and the store is not touched. Blocks for what the thread is doing. Idempotent.
  void stop();

private:
  struct state;
  const std::unique_ptr<state> state_;
};

} // namespace troupe::cluster
