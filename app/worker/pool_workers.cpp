// What the pool does with its workers: start, greet, end, and tell their replicas.
#include <troupe/app/worker/environment.hpp>
#include <troupe/app/worker/pool_loop.hpp>

#include <caf/actor_cast.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/send.hpp>

#include <csignal>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace troupe::worker {

// -- starting ------------------------------------------------------------------------------------------------------

pool_loop::worker* pool_loop::begin(launch what, std::shared_ptr<const worker_code> code, std::string& failed) {
  try {
    if (port_ == 0)
      port_ = open_door_();
  } catch (const std::exception& e) {
    failed = e.what();
    return nullptr;
  }
  auto env = resolve_environment(what.runtime_env, options_.secrets.get(), options_.packages);
  if (!env) {
    failed = env.why().message;
    return nullptr;
  }
  auto made = std::make_unique<worker>();
  auto& w = *made;
  w.number = ++last_number_;
  w.what = std::move(what);
  w.code = std::move(code);
  handover h{w.number,
             library::random_hex(),
             port_,
             ::getpid(),
             w.code ? w.code->replicas_per_worker() + 1 : 2,
             options_.data_dir,
             options_.code_dirs,
             options_.data_dir / "workers" / std::to_string(w.number),
             w.what};
  h.what.runtime_env = std::move(*env);
  {
    const std::lock_guard guard{mutex_};
    secrets_.emplace(w.number, h.secret);
  }
  auto started = troupe::worker::start(options_.program, h);
  if (!started) {
    failed = started.why().message;
    forget_secret(w.number);
    return nullptr;
  }
  w.at = std::move(*started);
  workers_.emplace(w.number, std::move(made));
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

void pool_loop::attach(replica::worker_place place, std::shared_ptr<const worker_code> what,
                       caf::strong_actor_ptr who) {
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
      return tell(who, caf::make_message(replica::worker_lost{place.number, failed, false}));
    }
    open.insert(w->number);
    if (options_.logs) {
      const bool shared = what->replicas_per_worker() > 1;
      const auto name = shared ? "worker-" + std::to_string(w->number) : std::to_string(place.replica);
      w->log = options_.logs->open(what->what().application, what->deployment(), name, place.revision);
    }
  }
  w->places.emplace(place.number, who);
  worker_of_[place.number] = w->number;
  if (w->places.size() >= what->replicas_per_worker())
    open.erase(w->number);
  if (open.empty())
    with_room_.erase(what.get());
  if (w->host)
    tell(who, caf::make_message(replica::worker_assigned{place.number, w->host}));
}

void pool_loop::greet(worker_hello hello) {
  const auto it = workers_.find(hello.worker);
  if (it == workers_.end() || it->second->host)
    return;
  auto& w = *it->second;
  w.host = hello.host;
  forget_secret(w.number); // one hello
  if (hello.wire_version != worker_wire_version)
    return kill_now(w, "it speaks version " + std::to_string(hello.wire_version) + ", the daemon " +
                           std::to_string(worker_wire_version) + ": restart the daemon");
  if (auto done = std::exchange(w.described, nullptr)) {
    w.why.clear();
    if (hello.failure.empty())
      done(hello.offer.get());
    else
      done(error{static_cast<errc>(hello.failure_code), shown(hello.failure)});
    return end(w);
  }
  if (!hello.failure.empty())
    return kill_now(w, shown(hello.failure));
  for (const auto& [place, who] : w.places)
    tell(who, caf::make_message(replica::worker_assigned{place, w.host}));
  if (w.places.empty())
    end(w);
}

// -- ending --------------------------------------------------------------------------------------------------------

pool_loop::worker* pool_loop::leave(std::uint64_t place) {
  const auto it = worker_of_.find(place);
  if (it == worker_of_.end())
    return nullptr;
  auto& w = *workers_.at(it->second);
  worker_of_.erase(it);
  w.places.erase(place);
  return &w;
}

void pool_loop::detach(std::uint64_t place) {
  auto* w = leave(place);
  if (!w)
    return;
  if (w->places.empty())
    return end(*w);
  if (w->host)
    caf::anon_send<caf::message_priority::high>(w->host, drop_worker_replica{place}); // as its start
  if (!w->ending && !w->killed)
    with_room_[w->code.get()].insert(w->number);
}

void pool_loop::kill(std::uint64_t place, std::string why) {
  if (auto* w = leave(place))
    kill_now(*w, "killed because of a replica in it: " + why);
}

void pool_loop::take_no_more(const worker& w) {
  const auto it = with_room_.find(w.code.get()); // none for a null: those are only described
  if (it == with_room_.end())
    return;
  it->second.erase(w.number);
  if (it->second.empty())
    with_room_.erase(it);
}

void pool_loop::forget_secret(std::uint64_t number) {
  const std::lock_guard guard{mutex_};
  secrets_.erase(number);
}

void pool_loop::end(worker& w) {
  if (w.ending || w.killed)
    return;
  w.ending = true;
  take_no_more(w);
  if (w.host)
    caf::anon_send<caf::message_priority::high>(w.host, end_worker{});
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
  for (const bool is_error : {false, true})
    if (is_error ? w.at.err : w.at.out)
      read_output(w, is_error);
  const bool crashed = !w.killed && !w.ending;
  take_no_more(w);
  std::string text = "worker process " + std::to_string(w.at.pid) + " ";
  if (w.killed && !w.why.empty())
    text += "was killed: " + w.why;
  else
    text += to_string(how);
  if (const auto words = w.last_words.text([this](std::string x) { return shown(std::move(x)); });
      !words.empty() && !(w.killed && how.signal == 0))
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
    log(control::log_level::warning, name_of(w) + text);
  forget_secret(number);
  std::error_code none;
  std::filesystem::remove_all(options_.data_dir / "workers" / std::to_string(number), none);
}

void pool_loop::tell(const caf::strong_actor_ptr& who, caf::message what) const {
  if (who)
    who->enqueue(nullptr, caf::make_message_id(caf::message_priority::high), std::move(what), nullptr);
}

std::string pool_loop::shown(std::string text) const {
  return options_.secrets ? options_.secrets->masked(std::move(text)) : text;
}

std::string pool_loop::name_of(const worker& w) const {
  return w.code ? w.what.application + "/" + w.code->deployment() + ": " : w.what.application + ": ";
}

} // namespace troupe::worker
