// An event at a time: the machine's effects are done, in order, before it hears of what came of them.
#include <troupe/app/cluster/code_cache.hpp>
#include <troupe/app/cluster/code_source.hpp>
#include <troupe/app/library/file.hpp>

#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <fcntl.h>
#include <filesystem>
#include <future>
#include <map>
#include <mutex>
#include <set>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <tuple>
#include <unistd.h>
#include <utility>
#include <variant>

namespace troupe::cluster {

namespace {

class cache_thread;

/// Of this process, from the cache's owner to its thread.
struct cache_job {
  std::function<void(cache_thread&)> run;
};

} // namespace
} // namespace troupe::cluster

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::cluster::cache_job)

namespace troupe::cluster {

namespace {

namespace fs = std::filesystem;
namespace event = nodes::event;
namespace effect = nodes::effect;
using control::log_level;
using library::needed_file;

using cache_actor = code_sink_actor::extend<takes<cache_job>>;

std::string brief(const std::string& digest) {
  return digest.substr(0, 12); // enough for people
}

/// Called once: by whom the outcome is known to, or else when nobody is left to know it.
class answer {
public:
  explicit answer(code_cache::done_function f) : f_(std::move(f)) {}
  answer(const answer&) = delete;
  answer& operator=(const answer&) = delete;
  ~answer() { give(error{errc::runtime_stopped, "the node stops; the code was not brought to it"}); }

  void give(std::optional<error> outcome) {
    if (auto f = std::exchange(f_, nullptr))
      f(std::move(outcome));
  }
  void forget() { f_ = nullptr; }

private:
  code_cache::done_function f_;
};

nodes::fetch_limits within_chunks(nodes::fetch_limits l) {
  l.chunk_bytes = std::min(l.chunk_bytes, max_code_chunk_bytes);
  return l;
}

bool write_at(int fd, std::string_view bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const auto n = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return true;
}

class cache_thread final : public cache_actor::base {
public:
  cache_thread(caf::actor_config& cfg, library::store& files, code_cache_options options,
               std::shared_ptr<std::promise<void>> ended)
      : cache_actor::base(cfg), files_(files), options_(std::move(options)), ended_(std::move(ended)),
        machine_(within_chunks(options_.limits)) {
    set_default_handler(caf::drop);
  }
  const char* name() const override { return "troupe.code_cache"; }

  void connect(const code_source_actor& source) {
    source_ = source;
    handle(event::connected{});
  }
  void disconnect() {
    source_ = nullptr;
    handle(event::connection_lost{});
  }
  void need(std::uint64_t id, const std::string& digest, const std::vector<code_file>& files,
            const std::shared_ptr<answer>& outcome);
  void drop(std::uint64_t id) {
    const auto node = users_.extract(id);
    if (!node)
      return;
    node.mapped().done->forget();
    for (const auto& x : node.mapped().files)
      touch(x.digest);
    handle(event::drop_user{id});
  }

protected:
  behavior_type make_behavior() override {
    look_around();
    return {
        [this](const code_chunk& x) {
          chunk_ = x.bytes;
          handle(event::chunk{x.ask, x.bytes.size(), x.total});
          chunk_ = {};
        },
        [this](code_missing& x) {
          handle(event::not_there{x.ask, std::move(x.why)});
        },
        [this](const cache_job& x) { x.run(*this); },
    };
  }

  void on_exit() override {
    source_ = nullptr;
    users_.clear(); // their answers are given
    for (const auto fetch : begun_)
      ::unlink(half(fetch).c_str());
    options_.log = nullptr;
    ended_->set_value(); // the store is not touched after this
  }

private:
  struct user {
    std::string digest;
    std::vector<needed_file> files;
    std::set<std::string> missing; ///< Digests.
    std::shared_ptr<answer> done;
  };

  fs::path half(std::uint64_t fetch) const {
    return files_.folder() / (std::string{library::fetch_prefix} + std::to_string(fetch));
  }
  void log(log_level level, const std::string& text) const {
    if (options_.log)
      options_.log(level, text);
  }
  /// Keeps the order in which copies were last needed for the next process.
  void touch(const std::string& digest) const { ::utimensat(AT_FDCWD, files_.file_with(digest).c_str(), nullptr, 0); }
  void remove(const fs::path& file) const {
    if (::unlink(file.c_str()) != 0 && errno != ENOENT)
      log(log_level::warning, "cannot remove " + file.string() + ": " + library::text_of_errno(errno));
  }

  void look_around();
  void handle(nodes::fetch_event ev);
  void disk_failed(std::uint64_t fetch, std::string why) {
    broken_ = fetch;
    handle(event::disk_failed{fetch, std::move(why)});
  }
  std::string advice(const nodes::fetch_event& ev) const;
  void fail(std::map<std::uint64_t, user>::iterator it, error why);

  void run(effect::ask_chunk& x) {
    caf::anon_send(source_, ask_code_chunk{x.ask, x.digest, x.offset, x.bytes, caf::actor_cast<code_sink_actor>(this)});
  }
  void run(const effect::write_chunk& x);
  void run(const effect::check& x);
  void run(const effect::discard& x) {
    remove(half(x.fetch)); // a check is done at once: never one that it has put in its place
    begun_.erase(x.fetch);
  }
  void run(const effect::ready& x);
  void run(const effect::failed& x);
  void run(const effect::remove_copy& x) {
    remove(files_.file_with(x.digest));
    log(log_level::info, "code file " + brief(x.digest) + ", unused for longest, made room for other code");
  }

  library::store& files_;
  code_cache_options options_;
  const std::shared_ptr<std::promise<void>> ended_;
  nodes::fetcher machine_;
  code_source_actor source_;
  std::deque<nodes::fetch_event> events_; ///< The first one is being handled.
  std::string_view chunk_;                ///< Of the first event.
  std::uint64_t broken_ = 0;              ///< The disk failed for it, the machine does not know yet.
  std::set<std::uint64_t> begun_;         ///< Fetches with a file.
  std::map<std::uint64_t, user> users_;
};

/// What is in the folder was checked before it got its name, or is a leftover.
void cache_thread::look_around() {
  struct copy {
    fs::file_time_type used;
    std::string digest;
    std::uint64_t bytes = 0;
  };
  std::vector<copy> copies;
  std::vector<fs::path> leftovers;
  std::error_code why;
  for (fs::directory_iterator it{files_.folder(), why}, end; !why && it != end; it.increment(why)) {
    const auto& file = it->path();
    const auto digest = file.stem().string();
    std::error_code gone;
    if (file.filename().string().starts_with(library::fetch_prefix) ||
        (file.extension() == ".needs" && !files_.contains(digest))) // of files that had to go
      leftovers.push_back(file);
    else if (file.extension() == ".so" && library::is_digest(digest) && it->is_regular_file(gone))
      copies.push_back({it->last_write_time(gone), digest, it->file_size(gone)});
  }
  if (why)
    log(log_level::warning, "cannot look for code in " + files_.folder().string() + ": " + why.message());
  for (const auto& file : leftovers)
    remove(file);
  std::sort(copies.begin(), copies.end(),
            [](const copy& a, const copy& b) { return std::tie(a.used, a.digest) < std::tie(b.used, b.digest); });
  for (auto& x : copies)
    handle(event::found{std::move(x.digest), x.bytes});
}

void cache_thread::handle(nodes::fetch_event ev) {
  events_.push_back(std::move(ev));
  if (events_.size() > 1)
    return; // after this one
  for (; !events_.empty(); events_.pop_front())
    for (auto& x : machine_.step(events_.front()))
      std::visit([this](auto& y) { run(y); }, x);
}

void cache_thread::need(std::uint64_t id, const std::string& digest, const std::vector<code_file>& files,
                        const std::shared_ptr<answer>& outcome) {
  user u{digest, {}, {}, outcome};
  for (const auto& x : files) {
    u.files.push_back({x.soname, x.digest, x.source});
    u.missing.insert(x.digest);
  }
  if (auto why = library::store::mismatch(digest, u.files))
    return outcome->give(std::move(*why));
  const auto wanted = u.missing;
  users_.try_emplace(id, std::move(u));
  for (const auto& x : wanted)
    if (users_.contains(id)) // else an earlier one of them has failed
      handle(event::need{id, x});
}

void cache_thread::run(const effect::write_chunk& x) {
  begun_.insert(x.fetch);
  const library::descriptor fd{
      ::open(half(x.fetch).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR)};
  if (fd && write_at(fd.get(), chunk_, x.offset))
    return;
  const auto number = errno;
  const auto folder = files_.folder().string();
  disk_failed(x.fetch, number == ENOSPC || number == EDQUOT
                           ? "no space left on " + folder
                           : "cannot write to " + folder + ": " + library::text_of_errno(number));
}

void cache_thread::run(const effect::check& x) {
  if (x.fetch == broken_)
    return;
  const auto from = half(x.fetch);
  const auto digest = library::sha256_of_file(from);
  if (!digest)
    return disk_failed(x.fetch, digest.why().message);
  if (*digest != x.digest) {
    remove(from); // it comes again, and may be shorter
    log(log_level::warning, "what the controller sent as code file " + brief(x.digest) + " is " + brief(*digest));
    return handle(event::checked{x.fetch, false});
  }
  const library::descriptor fd{::open(from.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!fd || ::fsync(fd.get()) != 0)
    return disk_failed(x.fetch, "cannot sync " + from.string() + ": " + library::text_of_errno(errno));
  const auto to = files_.file_with(x.digest);
  if (const auto published = library::publish(from, to); !published) {
    remove(to); // it may have its name without being durable
    return disk_failed(x.fetch, published.why().message);
  }
  begun_.erase(x.fetch);
  handle(event::checked{x.fetch, true});
}

void cache_thread::run(const effect::ready& x) {
  const auto it = users_.find(x.user);
  if (it == users_.end())
    return; // another of its files has failed
  touch(x.digest);
  auto& u = it->second;
  u.missing.erase(x.digest);
  if (!u.missing.empty())
    return;
  if (const auto accepted = files_.accept(u.digest, u.files); !accepted)
    return fail(it, {accepted.code(), "code " + brief(u.digest) + " cannot be had: " + accepted.why().message});
  log(log_level::debug, "code " + brief(u.digest) + " is here");
  u.done->give(std::nullopt);
}

void cache_thread::run(const effect::failed& x) {
  const auto it = users_.find(x.user);
  if (it == users_.end())
    return;
  const auto& u = it->second;
  const auto file = std::find_if(u.files.begin(), u.files.end(), [&](const auto& f) { return f.digest == x.digest; });
  auto text = "code " + brief(u.digest) + " cannot be had: its file " + brief(x.digest);
  if (file != u.files.end() && !file->source.empty())
    text += " (" + file->source + ")";
  fail(it, {x.why.code, text + ": " + x.why.message + "; " + advice(events_.front())});
}

/// For what this event has made fail.
std::string cache_thread::advice(const nodes::fetch_event& ev) const {
  if (std::holds_alternative<event::disk_failed>(ev))
    return "make room there, or mend the disk, then deploy or restart";
  const auto* chunk = std::get_if<event::chunk>(&ev);
  if (chunk && chunk->total > options_.limits.cache_bytes - std::min(options_.limits.cache_bytes, machine_.bytes()))
    return "allow the node more bytes for code, or run less of it there";
  return "deploy the library again";
}

void cache_thread::fail(std::map<std::uint64_t, user>::iterator it, error why) {
  const auto node = users_.extract(it);
  handle(event::drop_user{node.key()});
  log(log_level::warning, why.message);
  node.mapped().done->give(std::move(why));
}

} // namespace

struct code_cache::state {
  /// Without a thread the job is destroyed, here on the caller's.
  void post(std::function<void(cache_thread&)> run) {
    const std::lock_guard lock{guard};
    if (thread)
      caf::anon_send(thread, cache_job{std::move(run)});
  }

  std::shared_future<void> ended;
  std::mutex guard; ///< Also the order of jobs: none comes after the last.
  cache_actor thread;
};

code_cache::code_cache(caf::actor_system& sys, library::store& files, code_cache_options options)
    : state_(std::make_unique<state>()) {
  auto ended = std::make_shared<std::promise<void>>();
  state_->ended = ended->get_future().share();
  state_->thread = sys.spawn<cache_thread, caf::detached>(std::ref(files), std::move(options), std::move(ended));
}

code_cache::~code_cache() { stop(); }

void code_cache::connected(code_source_actor source) {
  state_->post([source = std::move(source)](cache_thread& t) { t.connect(source); });
}

void code_cache::disconnected() {
  state_->post([](cache_thread& t) { t.disconnect(); });
}

void code_cache::need(std::uint64_t user, const std::string& digest, std::vector<code_file> files, done_function done) {
  state_->post([user, digest, files = std::move(files), done = std::make_shared<answer>(std::move(done))](
                   cache_thread& t) { t.need(user, digest, files, done); });
}

void code_cache::drop(std::uint64_t user) {
  state_->post([user](cache_thread& t) { t.drop(user); });
}

void code_cache::stop() {
  const auto ended = state_->ended;
  {
    const std::lock_guard lock{state_->guard};
    if (state_->thread)
      caf::anon_send(state_->thread, cache_job{[](cache_thread& t) { t.quit(); }});
    state_->thread = nullptr;
  }
  ended.wait();
}

} // namespace troupe::cluster
