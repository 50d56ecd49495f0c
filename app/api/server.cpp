// Requests go from the I/O thread to a queue that two threads work on; event streams are fed by a third.
#include <troupe/app/api/endpoints.hpp>
#include <troupe/app/api/views.hpp>
#include <troupe/app/http/server.hpp>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <list>
#include <mutex>
#include <thread>
#include <utility>

namespace troupe::api {

namespace {

constexpr std::size_t most_streams = 100;
constexpr auto heartbeat = std::chrono::seconds{15};

} // namespace

struct server::state {
  state(subjects s, access_rules r, http::options limits)
      : about(std::move(s)), rules(std::move(r)),
        front(limits, [this](request&& x, http::responder to) { arrived(std::move(x), std::move(to)); }) {}

  struct job {
    request asked;
    http::responder to;
  };

  /// One client of the event stream.
  struct listener {
    http::stream out;
    std::uint64_t sent = 0;
  };

  // -- on the I/O thread

  void arrived(request&& x, http::responder to) {
    if (auto no = refused(x, rules))
      return to.send(std::move(*no));
    {
      const std::lock_guard guard{mutex};
      if (!stopping && jobs.size() < 1000) {
        jobs.push_back({std::move(x), std::move(to)});
        wake.notify_one();
        return;
      }
    }
    to.send(error_answer({503, "busy", "the daemon ends, or has too much to do"}));
  }

  // -- on the workers

  void work() {
    std::unique_lock guard{mutex};
    for (;;) {
      wake.wait(guard, [this] { return stopping || !jobs.empty(); });
      if (jobs.empty())
        return;
      auto next = std::move(jobs.front());
      jobs.pop_front();
      guard.unlock();
      run(std::move(next));
      guard.lock();
    }
  }

  void run(job x) {
    const auto& path = x.asked.path;
    const bool ours = !path.starts_with("/api/serve/") && !path.starts_with("/api/ray/");
    std::string methods;
    const auto say = [&](const daemon::refusal& why, const json& more = json::object()) {
      const auto status = static_cast<std::uint16_t>(why.status);
      auto answer = path.starts_with("/api/v1/") ? as_json({{"error", why.message}}, status)
                    : ours                       ? error_answer(why, more)
                                                 : response::text(status, why.message + "\n");
      if (why.status == 405)
        answer.headers.push_back({"Allow", methods});
      x.to.send(std::move(answer));
    };
    try {
      call_in in{about, x.asked, {}};
      const auto* e = find_endpoint(x.asked.method, x.asked.path, in.names, methods);
      if (!e)
        return say(methods.empty()
                       ? daemon::refusal{404, "not_found", "there is nothing at " + x.asked.path}
                       : daemon::refusal{405, "method_not_allowed",
                                         x.asked.method + " is not for " + x.asked.path + ", but " + methods + " are"});
      if (!e->answer)
        return stream_events(in, x.to);
      x.to.send(e->answer(in));
    } catch (const problem_answer& e) {
      say(e.why, e.more);
    } catch (const command_failed& e) {
      say({e.code() == errc::unknown_deployment ? 404
           : e.code() == errc::rejected         ? 409
                                                : 503,
           to_string(e.code()), e.why().message});
    } catch (const std::exception& e) {
      say({500, "internal", e.what()});
    }
  }

  // -- events

  void stream_events(const call_in& in, http::responder& to) {
    auto after = about.events.last();
    if (const auto from = event_id_of(in.asked))
      after = *from <= after ? *from : 0; // an id of an earlier run of the daemon: all of this one is new
    response head;
    head.headers = {{"Content-Type", "text/event-stream"}, {"Cache-Control", "no-store"}};
    if (in.asked.method == "HEAD")
      return to.send(std::move(head));
    {
      const std::lock_guard guard{streams_mutex};
      if (streams.size() >= most_streams)
        throw problem_answer({503, "busy", "there are " + std::to_string(most_streams) + " event streams already"});
      head.body = ": troupe\n\n";
      streams.push_back({to.begin_stream(std::move(head)), after});
    }
    look();
  }

  /// Wakes the feeder. Called by whoever emits an event, under the log's lock: takes no other.
  void look(bool end = false) {
    {
      const std::lock_guard guard{feeder_mutex};
      dirty = true;
      streams_end = streams_end || end;
    }
    feeder_wake.notify_one();
  }

  void feed() {
    for (;;) {
      bool woken = false;
      {
        std::unique_lock guard{feeder_mutex};
        woken = feeder_wake.wait_for(guard, heartbeat, [this] { return dirty; });
        if (streams_end)
          break;
        dirty = false;
      }
      const std::lock_guard guard{streams_mutex};
      for (auto it = streams.begin(); it != streams.end();) {
        if (!woken)
          it->out.write(": still here\n\n"); // tells a client, and us, that the connection lives
        write_events(*it);
        it = it->out.gone() ? streams.erase(it) : std::next(it);
      }
    }
    const std::lock_guard guard{streams_mutex};
    streams.clear();
  }

  void write_events(listener& x) {
    for (const auto& e : about.events.after(x.sent, 1000)) {
      const auto text = "id: " + std::to_string(e.id) + "\nevent: " + e.what.what +
                        "\ndata: " + view(e).dump(-1, ' ', false, json::error_handler_t::replace) + "\n\n";
      if (!x.out.write(text))
        break; // its buffer is full: what follows is written at the next event or heartbeat
      x.sent = e.id;
    }
  }

  void stop() {
    {
      const std::lock_guard guard{mutex};
      if (std::exchange(stopping, true))
        return;
    }
    front.stop_listening();
    wake.notify_all();
    for (auto& t : workers)
      t.join();
    about.events.forget(listening);
    look(true);
    if (feeder.joinable())
      feeder.join();
    front.wait_idle(std::chrono::steady_clock::now() + std::chrono::seconds{1});
    front.stop();
  }

  subjects about;
  access_rules rules;
  std::mutex mutex;
  std::condition_variable wake;
  std::deque<job> jobs;
  bool stopping = false;
  std::mutex streams_mutex;
  std::list<listener> streams;
  std::mutex feeder_mutex;
  std::condition_variable feeder_wake;
  bool dirty = false, streams_end = false;
  std::uint64_t listening = 0;
  std::vector<std::thread> workers;
  std::thread feeder;
  http::server front;
};

server::server(subjects about, access_rules rules, http::options limits)
    : state_(std::make_unique<state>(std::move(about), std::move(rules), limits)) {}

server::~server() { stop(); }

std::uint16_t server::listen(const std::string& address, std::uint16_t port) {
  return state_->front.listen(address, port);
}

std::uint16_t server::listen(int fd) { return state_->front.listen(fd); }

void server::start() {
  auto& s = *state_;
  s.listening = s.about.events.listen([&s] { s.look(); });
  s.feeder = std::thread{[&s] { s.feed(); }};
  for (int i = 0; i < 2; ++i)
    s.workers.emplace_back([&s] { s.work(); });
  s.front.start(1);
}

void server::stop() { state_->stop(); }

} // namespace troupe::api
