// An epoll loop: jobs, ends of processes, their output, timers.
#include <troupe/app/worker/pool_loop.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <openssl/crypto.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <system_error>
#include <unistd.h>

namespace troupe::worker {

pool_loop::pool_loop(worker_pool_options options)
    : options_(std::move(options)), epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) { // NOLINT(hicpp-signed-bitwise)
  if (!epoll_ || !wake_)
    throw std::system_error{errno, std::generic_category(), "worker processes"};
  watch(wake_.get(), 0, wake_up);
}

pool_loop::~pool_loop() { stop(); }

void pool_loop::start(std::function<std::uint16_t()> open_door) {
  open_door_ = std::move(open_door);
  std::error_code none; // what workers of an earlier process left
  std::filesystem::remove_all(options_.data_dir / "workers", none);
  thread_ = std::thread{[this] { run(); }};
}

void pool_loop::stop() {
  {
    const std::lock_guard guard{mutex_};
    if (stopping_)
      return;
    stopping_ = true;
    jobs_.emplace_back([] {});
  }
  const std::uint64_t one = 1;
  (void)!::write(wake_.get(), &one, sizeof one);
  if (thread_.joinable())
    thread_.join();
}

void pool_loop::post(std::function<void()> job) {
  {
    const std::lock_guard guard{mutex_};
    if (stopping_)
      return;
    jobs_.push_back(std::move(job));
  }
  const std::uint64_t one = 1;
  (void)!::write(wake_.get(), &one, sizeof one);
}

bool pool_loop::knows_secret(std::uint64_t number, std::string_view secret) const {
  const std::lock_guard guard{mutex_};
  const auto it = secrets_.find(number);
  return it != secrets_.end() && it->second.size() == secret.size() &&
         CRYPTO_memcmp(it->second.data(), secret.data(), secret.size()) == 0;
}

// -- the loop -----------------------------------------------------------------------------------------------------

void pool_loop::run() {
  sigset_t broken_pipes; // a worker that has ended is an error of the write, not a signal
  ::sigemptyset(&broken_pipes);
  ::sigaddset(&broken_pipes, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &broken_pipes, nullptr);
  std::array<epoll_event, 64> events{};
  for (;;) {
    {
      const std::lock_guard guard{mutex_};
      if (stopping_)
        break;
    }
    const int n = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), patience());
    for (int i = 0; i < n; ++i)
      on_event(events.at(static_cast<std::size_t>(i)).data.u64);
    const auto now = clock::now();
    while (!timers_.empty() && timers_.begin()->first <= now) {
      const auto number = timers_.begin()->second;
      timers_.erase(timers_.begin());
      if (const auto it = workers_.find(number); it != workers_.end())
        kill_now(*it->second, it->second->why);
    }
  }
  for (auto& [number, w] : workers_)
    ::kill(-w->at.pid, SIGKILL);
  for (auto& [number, w] : workers_)
    reap(w->at);
  std::deque<std::function<void()>> dropped;
  {
    const std::lock_guard guard{mutex_};
    dropped.swap(jobs_);
  }
  for (auto& [number, w] : workers_)
    if (w->described)
      w->described(error{errc::runtime_stopped, "the daemon ends"});
  workers_.clear();
}

void pool_loop::run_jobs() {
  std::uint64_t count = 0;
  (void)!::read(wake_.get(), &count, sizeof count);
  std::deque<std::function<void()>> jobs;
  {
    const std::lock_guard guard{mutex_};
    jobs.swap(jobs_);
  }
  for (auto& job : jobs) {
    try {
      job();
    } catch (const std::exception& e) { // no descriptors, no memory: what the job was for has its timeout
      log(control::log_level::error, std::string{"worker processes: "} + e.what());
    }
  }
}

void pool_loop::watch(int fd, std::uint64_t number, unsigned what) const {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = (number << tag_bits) | what;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0)
    throw std::system_error{errno, std::generic_category(), "epoll_ctl"};
}

int pool_loop::patience() const {
  if (timers_.empty())
    return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(timers_.begin()->first - clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
}

void pool_loop::on_event(std::uint64_t about) {
  const auto what = about & ((1U << tag_bits) - 1);
  if (what == wake_up)
    return run_jobs();
  const auto it = workers_.find(about >> tag_bits);
  if (it == workers_.end())
    return;
  if (what == ended)
    gone(it->first);
  else
    read_output(*it->second, what == errors);
}

void pool_loop::read_output(worker& w, bool is_error) {
  auto& from = is_error ? w.at.err : w.at.out;
  std::array<char, std::size_t{64} * 1024> block; // NOLINT(cppcoreguidelines-pro-type-member-init): read into
  for (int i = 0; i < 4; ++i) {                   // then others have a turn
    const auto n = ::read(from.get(), block.data(), block.size());
    if (n == 0)
      return from.reset(); // leaves epoll, too
    if (n < 0)
      return;
    const std::string_view text{block.data(), static_cast<std::size_t>(n)};
    if (is_error)
      w.last_words.add(text);
    if (w.log)
      w.log->take(is_error ? logs::channel::err : logs::channel::out, text);
  }
}

void pool_loop::log(control::log_level level, const std::string& text) const {
  if (options_.log)
    options_.log(level, text);
}

} // namespace troupe::worker
