// Private to app/worker/: the thread that owns the worker processes.
#pragma once

#include <troupe/app/worker/pool.hpp>
#include <troupe/app/worker/tail.hpp>

#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace troupe::worker {

/// Public functions: `post`, `knows_secret`, `start` and `stop` from any thread, all others from its jobs.
class pool_loop {
public:
  explicit pool_loop(worker_pool_options options);
  ~pool_loop();
  pool_loop(const pool_loop&) = delete;
  pool_loop& operator=(const pool_loop&) = delete;

  void start(std::function<std::uint16_t()> open_door); ///< Called once, with the first worker; may throw.
  void stop();                                          ///< Joins; every process has ended.
  void post(std::function<void()> job);                 ///< Dropped after `stop`.
  bool knows_secret(std::uint64_t number, std::string_view secret) const;

  void describe(launch what, std::function<void(result<json>)> done);
  void attach(replica::worker_place place, std::shared_ptr<const worker_code> what, caf::strong_actor_ptr who);
  void detach(std::uint64_t place);
  void kill(std::uint64_t place, std::string why);
  void greet(worker_hello hello);
  void silent(std::uint64_t number);

private:
  using clock = std::chrono::steady_clock;

  /// What an event is about: a worker's number, and which of its descriptors.
  enum tag : std::uint64_t { wake_up = 0, ended = 1, output = 2, errors = 3 };
  static constexpr unsigned tag_bits = 2;

  struct worker {
    std::uint64_t number = 0;
    launch what;
    std::shared_ptr<const worker_code> code; ///< Null: for `describe`.
    std::function<void(result<json>)> described;
    std::map<std::uint64_t, caf::strong_actor_ptr> places;
    process at;
    worker_host_actor host; ///< Null until its hello.
    tail last_words;
    std::unique_ptr<logs::worker_log> log; ///< May be null.
    bool ending = false;
    bool killed = false; ///< By us.
    std::string why;     ///< Of that, or why its code cannot be loaded.
    clock::time_point kill_at = clock::time_point::max();
  };

  void run();
  void run_jobs();
  void watch(int fd, std::uint64_t number, unsigned what) const;
  void on_event(std::uint64_t about);
  void read_output(worker& w, bool is_error);
  worker* begin(launch what, std::shared_ptr<const worker_code> code, std::string& failed);
  worker* leave(std::uint64_t place); ///< Takes it out of its worker; null when it is in none.
  void take_no_more(const worker& w);
  void forget_secret(std::uint64_t number);
  void end(worker& w);
  void kill_now(worker& w, std::string why);
  void kill_after(worker& w, std::chrono::milliseconds patience);
  void gone(std::uint64_t number);
  void tell(const caf::strong_actor_ptr& who, caf::message what) const;
  void log(control::log_level level, const std::string& text) const;
  std::string name_of(const worker& w) const;
  std::string shown(std::string text) const; ///< Without contents of secrets.
  int patience() const;                      ///< Milliseconds until the next timer; -1 = none.

  const worker_pool_options options_;
  std::function<std::uint16_t()> open_door_;
  std::uint16_t port_ = 0; ///< 0 = not open yet.
  descriptor epoll_;
  descriptor wake_;
  std::thread thread_;

  mutable std::mutex mutex_; // from here
  std::deque<std::function<void()>> jobs_;
  bool stopping_ = false;
  std::map<std::uint64_t, std::string> secrets_; // to here

  // The thread's own.
  std::uint64_t last_number_ = 0;
  std::map<std::uint64_t, std::unique_ptr<worker>> workers_;
  std::map<std::uint64_t, std::uint64_t> worker_of_; ///< By place.
  std::map<const worker_code*, std::set<std::uint64_t>> with_room_;
  std::set<std::pair<clock::time_point, std::uint64_t>> timers_;
};

} // namespace troupe::worker
