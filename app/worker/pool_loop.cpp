// An epoll loop: jobs, ends of processes, their output, timers.
#include <troupe/app/worker/pool_loop.hpp>

#include <caf/actor_cast.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdexcept>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace troupe::worker {

namespace {

// What an event is about: a worker's number, and which of its descriptors.
enum tag : std::uint64_t { wake_up = 0, ended = 1, output = 2, errors = 3 };
constexpr unsigned tag_bits = 2;

std::string random_secret() {
  std::array<unsigned char, 32> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
    throw std::runtime_error("no random bytes");
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const auto b : bytes) {
    out += digits[b >> 4U];
    out += digits[b & 15U];
  }
  return out;
}

} // namespace

pool_loop::pool_loop(pool_options options)
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

std::vector<worker_info> pool_loop::workers() const {
  const std::lock_guard guard{mutex_};
  std::vector<worker_info> out;
  for (const auto& [number, info] : infos_)
    out.push_back(info);
  return out;
}

// -- the loop
// ----------------------------------------------------------------------------------------------------------

void pool_loop::run() {
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
    infos_.clear();
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

void pool_loop::on_event(std::uint64_t tag) {
  const auto what = tag & ((1U << tag_bits) - 1);
  if (what == wake_up)
    return run_jobs();
  const auto it = workers_.find(tag >> tag_bits);
  if (it == workers_.end())
    return;
  if (what == ended)
    gone(it->first);
  else
    read_output(*it->second, what == errors);
}

void pool_loop::read_output(worker& w, bool is_error) {
  auto& from = is_error ? w.at.err : w.at.out;
  std::array<char, 64 * 1024> block; // NOLINT(cppcoreguidelines-pro-type-member-init): read into
  for (int i = 0; i < 16; ++i) {     // then others have a turn
    const auto n = ::read(from.get(), block.data(), block.size());
    if (n == 0)
      return from.reset(); // leaves epoll, too
    if (n < 0)
      return;
    if (is_error)
      w.last_words.add({block.data(), static_cast<std::size_t>(n)});
  }
}

// -- starting
// ----------------------------------------------------------------------------------------------------------

pool_loop::worker* pool_loop::begin(launch what, std::shared_ptr<const worker_code> code, std::string& failed) {
  try {
    if (port_ == 0)
      port_ = open_door_();
  } catch (const std::exception& e) {
    failed = e.what();
    return nullptr;
  }
  auto made = std::make_unique<worker>();
  auto& w = *made;
  w.number = ++last_number_;
  w.what = std::move(what);
  w.code = std::move(code);
  handover h{w.number,
             random_secret(),
             port_,
             ::getpid(),
             w.code ? w.code->replicas_per_worker() + 1 : 2,
             options_.data_dir,
             options_.code_dirs,
             options_.data_dir / "workers" / std::to_string(w.number),
             w.what};
  {
    const std::lock_guard guard{mutex_};
    secrets_.emplace(w.number, h.secret);
  }
  auto started = troupe::worker::start(options_.program, h);
  if (!started) {
    failed = started.why().message;
    const std::lock_guard guard{mutex_};
    secrets_.erase(w.number);
    return nullptr;
  }
  w.at = std::move(*started);
  workers_.emplace(w.number, std::move(made));
  {
    const std::lock_guard guard{mutex_};
    infos_[w.number] = {w.number, w.at.pid, w.what.application, 0, false};
  }
  watch(w.at.pid_fd.get(), w.number, ended);
  watch(w.at.out.get(), w.number, output);
  watch(w.at.err.get(), w.number, errors);
  return &w;
}

void pool_loop::describe(launch what, std::function<void(result<json>)> done) {
  std::string failed;
  auto* w = begin(std::move(what), nullptr, failed);
  if (!w)
    return done(error{errc::unavailable, failed});
  w->described = std::move(done);
  w->why = "it did not say hello within " + std::to_string(options_.hello_patience.count()) + " ms";
  kill_after(*w, options_.hello_patience);
}

void pool_loop::attach(std::uint64_t place, std::shared_ptr<const worker_code> what, caf::strong_actor_ptr who) {
  auto& open = with_room_[what.get()];
  worker* w = nullptr;
  if (!open.empty()) {
    w = workers_.at(*open.begin()).get();
  } else {
    std::string failed;
    w = begin(what->what(), what, failed);
    if (!w) {
      if (open.empty())
        with_room_.erase(what.get());
      return tell(who, caf::make_message(replica::worker_lost{place, failed, false}));
    }
    open.insert(w->number);
  }
  w->places.emplace(place, who);
  worker_of_[place] = w->number;
  if (w->places.size() >= what->replicas_per_worker())
    open.erase(w->number);
  if (open.empty())
    with_room_.erase(what.get());
  {
    const std::lock_guard guard{mutex_};
    infos_[w->number].replicas = w->places.size();
  }
  if (w->host)
    tell(who, caf::make_message(replica::worker_assigned{place, w->host}));
}

void pool_loop::greet(worker_hello hello) {
  const auto it = workers_.find(hello.worker);
  if (it == workers_.end() || it->second->host)
    return;
  auto& w = *it->second;
  w.host = hello.host;
  {
    const std::lock_guard guard{mutex_};
    secrets_.erase(w.number); // one hello
    infos_[w.number].up = true;
  }
  if (hello.wire_version != worker_wire_version)
    return kill_now(w, "it speaks version " + std::to_string(hello.wire_version) + ", the daemon " +
                           std::to_string(worker_wire_version) + ": restart the daemon");
  if (auto done = std::exchange(w.described, nullptr)) {
    w.why.clear();
    if (hello.failure.empty())
      done(hello.offer.get());
    else
      done(error{static_cast<errc>(hello.failure_code), hello.failure});
    return end(w);
  }
  if (!hello.failure.empty())
    return kill_now(w, hello.failure);
  for (const auto& [place, who] : w.places)
    tell(who, caf::make_message(replica::worker_assigned{place, w.host}));
  if (w.places.empty())
    end(w);
}

// -- ending
// ------------------------------------------------------------------------------------------------------------

void pool_loop::detach(std::uint64_t place) {
  const auto it = worker_of_.find(place);
  if (it == worker_of_.end())
    return;
  auto& w = *workers_.at(it->second);
  worker_of_.erase(it);
  w.places.erase(place);
  {
    const std::lock_guard guard{mutex_};
    infos_[w.number].replicas = w.places.size();
  }
  if (w.places.empty())
    return end(w);
  if (w.host)
    caf::anon_send(w.host, drop_worker_replica{place});
  if (!w.ending && !w.killed)
    with_room_[w.code.get()].insert(w.number);
}

void pool_loop::kill(std::uint64_t place, std::string why) {
  const auto it = worker_of_.find(place);
  if (it == worker_of_.end())
    return;
  auto& w = *workers_.at(it->second);
  worker_of_.erase(it);
  w.places.erase(place);
  kill_now(w, "killed because of a replica in it: " + why);
}

void pool_loop::end(worker& w) {
  if (w.ending || w.killed)
    return;
  w.ending = true;
  if (w.code)
    if (const auto it = with_room_.find(w.code.get()); it != with_room_.end()) {
      it->second.erase(w.number);
      if (it->second.empty())
        with_room_.erase(it);
    }
  if (w.host)
    caf::anon_send(w.host, end_worker{});
  else
    w.at.life.reset();
  kill_after(w, options_.end_patience);
}

void pool_loop::kill_after(worker& w, std::chrono::milliseconds patience) {
  timers_.erase({w.kill_at, w.number});
  w.kill_at = clock::now() + patience;
  timers_.emplace(w.kill_at, w.number);
}

void pool_loop::kill_now(worker& w, std::string why) {
  if (w.killed)
    return;
  end(w); // no more places
  w.killed = true;
  w.why = std::move(why);
  ::kill(-w.at.pid, SIGKILL);
}

void pool_loop::silent(std::uint64_t number) {
  const auto it = workers_.find(number);
  if (it == workers_.end() || it->second->ending || it->second->killed)
    return;
  siginfo_t info{};
  const auto pid = static_cast<id_t>(it->second->at.pid);
  if (::waitid(P_PID, pid, &info, WEXITED | WNOWAIT | WNOHANG) == 0 && info.si_pid != 0)
    return; // it has ended, and how is about to be told
  it->second->why = "it does not answer any more";
  kill_after(*it->second, std::chrono::seconds{1}); // it may be on its way out
}

void pool_loop::gone(std::uint64_t number) {
  auto node = workers_.extract(number);
  auto& w = *node.mapped();
  timers_.erase({w.kill_at, number});
  const auto how = reap(w.at);
  if (w.at.err)
    read_output(w, true);
  const bool crashed = !w.killed && !w.ending;
  if (const auto it = with_room_.find(w.code.get()); w.code && it != with_room_.end()) {
    it->second.erase(number);
    if (it->second.empty())
      with_room_.erase(it);
  }
  std::string text = "worker process " + std::to_string(w.at.pid) + " ";
  if (w.killed && !w.why.empty())
    text += "was killed: " + w.why;
  else
    text += to_string(how);
  if (const auto words = w.last_words.text(); !words.empty() && !(w.killed && how.signal == 0))
    text += "; the last of its stderr:\n" + words;
  // SIGKILL comes from outside: an operator, or the kernel for want of memory.
  const bool by_request = crashed && (how.signal != SIGKILL || w.what.runtime_env.contains("limits"));
  for (const auto& [place, who] : w.places) {
    worker_of_.erase(place);
    tell(who, caf::make_message(replica::worker_lost{place, text, by_request}));
  }
  if (w.described)
    w.described(error{errc::unavailable, text});
  if (crashed)
    log(control::log_level::warning, name_of(w) + (w.code ? w.code->shown(text) : text));
  {
    const std::lock_guard guard{mutex_};
    secrets_.erase(number);
    infos_.erase(number);
  }
  std::error_code none;
  std::filesystem::remove_all(options_.data_dir / "workers" / std::to_string(number), none);
}

void pool_loop::tell(const caf::strong_actor_ptr& who, caf::message what) const {
  if (who)
    who->enqueue(nullptr, caf::make_message_id(caf::message_priority::high), std::move(what), nullptr);
}

void pool_loop::log(control::log_level level, const std::string& text) const {
  if (options_.log)
    options_.log(level, text);
}

std::string pool_loop::name_of(const worker& w) const {
  return w.code ? w.what.application + "/" + w.code->deployment() + ": " : w.what.application + ": ";
}

} // namespace troupe::worker
