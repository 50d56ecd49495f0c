// The worker processes of a daemon: started when replicas need a place, ended with their last replica.
//
//   starting --(1)--> up --(2)--> ending --(4)--> gone
//       \              \                           ^
//        `------(3)-----`--------------------------'
//
// (1) its hello: the code is loaded   (2) the last replica has left: asked to end, killed after `end_patience`
// (3) it ended by itself, was killed for a replica that was given up, did not load its code, or does not answer
// (4) its process has ended
//
// Invariants: a worker has at most `replicas_per_worker` places, all of one `worker_code`; a place is in one worker,
// and hears `worker_lost` once unless it is detached or killed; no process is left when `stop` returns, nor two seconds
// after the daemon was killed (a worker ends with the life line, and by PR_SET_PDEATHSIG).
#pragma once

#include <troupe/actors/control/environment.hpp>
#include <troupe/actors/router/result.hpp>
#include <troupe/app/library/loader.hpp>
#include <troupe/app/logs/writer.hpp>
#include <troupe/app/worker/process.hpp>
#include <troupe/app/worker/worker_code.hpp>

#include <caf/fwd.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::packages {
class package_store;
}

namespace troupe::worker {

struct worker_pool_options {
  std::string program; ///< What is started, with the word "worker".
  std::filesystem::path data_dir;
  std::vector<std::filesystem::path> code_dirs;
  std::chrono::milliseconds hello_patience{60'000}; ///< For `describe`; a replica's start has its own timeout.
  std::chrono::milliseconds end_patience{2'000};
  std::function<void(control::log_level, const std::string&)> log; ///< May be empty. Any thread.
  std::shared_ptr<logs::writer> logs{};              ///< Of what workers print; null: nothing of it is kept.
  std::shared_ptr<const secrets::keeper> secrets{};  ///< Resolves references to secrets; may be null.
  const packages::package_store* packages = nullptr; ///< Of runtime_envs; null: none has a package. Outlives the pool.
  /// Makes the code that workers only describe: it runs elsewhere. Empty: in workers.
  std::function<std::shared_ptr<const code>(const launch&, const std::string& deployment, const code_traits&)>
      elsewhere{};
};

/// Thread-safe. Its thread starts and waits for processes; nothing here blocks but `describe` and `stop`.
class pool final : public replica::worker_source {
public:
  /// The system has CAF's middleman, with heartbeats (`configure`).
  pool(caf::actor_system& sys, worker_pool_options options);
  ~pool() override;
  pool(const pool&) = delete;
  pool& operator=(const pool&) = delete;

  /// What an actor system needs for a pool in it: the middleman, and how soon a frozen worker is noticed.
  static void configure(caf::actor_system_config& config);

  /// Loads the library in a worker of its own, which ends again. The code of the result knows its traits alone; see
  /// `code_for`. `invalid_spec`, `rejected`: as `library::loader`; `unavailable`: no worker came up, or it ended.
  /// Blocks.
  result<library::application_code> describe(launch what);

  /// Runnable code for one deployment of what was described.
  std::shared_ptr<const code> code_for(launch what, const std::string& deployment, const code_traits& traits,
                                       std::uint32_t replicas_per_worker);

  void attach(replica::worker_place place, std::shared_ptr<const replica::remote_code> what,
              caf::strong_actor_ptr who) override;
  void detach(std::uint64_t place) override;
  void kill(std::uint64_t place, std::string why) override;

  /// Kills what is left, and gives back what it has of the actor system. Idempotent; nothing may be attached after.
  void stop();

private:
  class loop;
  const std::shared_ptr<const secrets::keeper> secrets_;
  const std::function<std::shared_ptr<const code>(const launch&, const std::string&, const code_traits&)> elsewhere_;
  std::shared_ptr<loop> loop_;
};

} // namespace troupe::worker
