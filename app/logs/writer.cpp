// A worker's bytes become lines on its reader's thread and wait in a bounded buffer; one thread writes for all workers.
#include <troupe/app/logs/files.hpp>
#include <troupe/app/logs/writer.hpp>
#include <troupe/messages/text.hpp>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

namespace troupe::logs {

struct worker_state {
  std::function<void(std::shared_ptr<worker_state>)> notify; ///< Something waits.
  options settings;
  std::filesystem::path folder;
  std::string replica;
  std::uint64_t revision = 0;

  // Of the thread that takes.
  std::array<std::string, 2> parts; ///< Of lines without their end, by channel.
  bool ended = false;

  mutable std::mutex mutex;
  std::string waiting;      ///< Whole lines.
  std::uint64_t lost = 0;   ///< In all.
  std::uint64_t unsaid = 0; ///< Of these, not told in the log yet.
  std::string why;          ///< Of the last ones.
  bool is_queued = false;   ///< For the writer's thread.
  bool is_over = false;

  time_point now() const { return settings.now ? settings.now() : std::chrono::system_clock::now(); }
};

namespace {

std::uint64_t lines_in(std::string_view x) { return static_cast<std::uint64_t>(std::count(x.begin(), x.end(), '\n')); }

/// At most `max_line_bytes` of the front that end with a whole character.
std::size_t cut_of(std::string_view x) {
  constexpr std::size_t longest_character = 4;
  if (x.size() <= max_line_bytes)
    return x.size();
  for (auto n = max_line_bytes; n > max_line_bytes - longest_character; --n)
    if ((static_cast<unsigned char>(x[n]) & 0xC0U) != 0x80U) // a character begins there
      return n;
  return max_line_bytes;
}

} // namespace

class writer::impl : public std::enable_shared_from_this<impl> {
public:
  explicit impl(options o) : options_(std::move(o)) {}

  void start() {
    thread_ = std::thread{[this] { work(); }};
  }
  void stop() {
    {
      const std::lock_guard one{mutex_};
      stopping_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }

  void add(std::shared_ptr<worker_state> x) {
    {
      const std::lock_guard one{mutex_};
      queue_.push_back(std::move(x));
      ++added_;
    }
    wake_.notify_all();
  }

  void flush() {
    std::unique_lock guard{mutex_};
    const auto until = added_;
    idle_.wait(guard, [&] { return done_ >= until; });
  }

  const options& settings() const { return options_; }

private:
  void work() {
    std::unique_lock guard{mutex_};
    for (;;) {
      wake_.wait(guard, [this] { return stopping_ || !queue_.empty(); });
      if (queue_.empty())
        return;
      const auto x = std::move(queue_.front());
      queue_.pop_front();
      guard.unlock();
      write(*x);
      guard.lock();
      ++done_;
      idle_.notify_all();
    }
  }

  void write(worker_state& x) {
    std::string lines;
    std::uint64_t unsaid = 0;
    bool over = false;
    {
      const std::lock_guard one{x.mutex};
      lines.swap(x.waiting);
      x.is_queued = false;
      over = x.is_over;
      unsaid = x.unsaid;
      if (unsaid > 0) // last, so that times stay in order
        lines += format_line(x.now(), x.revision, x.replica, channel::err,
                             "troupe: " + std::to_string(unsaid) + (unsaid == 1 ? " line was" : " lines were") +
                                 " lost: " + x.why);
    }
    if (options_.shown)
      lines = options_.shown(std::move(lines));
    if (!lines.empty()) {
      auto& all = folders_.try_emplace(x.folder, x.folder).first->second;
      auto& file = files_[&x];
      if (!file)
        file = std::make_unique<replica_file>(all, x.replica, options_);
      const auto done = file->append(lines);
      const std::lock_guard one{x.mutex};
      if (done.why == 0) {
        x.unsaid -= unsaid;
      } else {
        const auto lost = lines_in(std::string_view{lines}.substr(done.bytes)) - (unsaid > 0 ? 1 : 0); // the note
        x.lost += lost;
        x.unsaid += lost;
        x.why = library::text_of_errno(done.why);
      }
    }
    if (over)
      files_.erase(&x);
  }

  const options options_;
  std::mutex mutex_;
  std::condition_variable wake_, idle_;
  std::deque<std::shared_ptr<worker_state>> queue_;
  std::uint64_t added_ = 0, done_ = 0;
  bool stopping_ = false;
  // Of the thread.
  std::map<std::filesystem::path, deployment_files> folders_;
  std::map<const worker_state*, std::unique_ptr<replica_file>> files_; ///< Until the worker is over.
  std::thread thread_;
};

namespace {

/// For the writer's thread. Under the state's lock.
bool queue(worker_state& x) { return !std::exchange(x.is_queued, true); }

void add_line(const std::shared_ptr<worker_state>& s, channel from, std::string_view text) {
  auto line = format_line(s->now(), s->revision, s->replica, from, text);
  bool wake = false;
  {
    const std::lock_guard one{s->mutex};
    if (s->waiting.size() + line.size() > s->settings.waiting_bytes) {
      ++s->lost;
      ++s->unsaid;
      s->why = "they came faster than they could be written";
    } else {
      s->waiting += line;
    }
    wake = queue(*s);
  }
  if (wake)
    s->notify(s);
}

} // namespace

void worker_log::take(channel from, std::string_view bytes) {
  auto& part = state_->parts[static_cast<std::size_t>(from)];
  while (!bytes.empty()) {
    // No more at once than a line can have, so that `part` stays small.
    const auto window = bytes.substr(0, max_line_bytes);
    const auto end = window.find('\n');
    const bool whole = end != std::string_view::npos;
    part += window.substr(0, end);
    bytes.remove_prefix(whole ? end + 1 : window.size());
    while (part.size() > max_line_bytes) {
      const auto n = cut_of(part);
      add_line(state_, from, std::string_view{part}.substr(0, n));
      part.erase(0, n);
    }
    if (!whole)
      continue;
    if (part.ends_with('\r'))
      part.pop_back();
    add_line(state_, from, part);
    part.clear();
  }
}

void worker_log::end() {
  if (std::exchange(state_->ended, true))
    return;
  for (const auto from : {channel::out, channel::err})
    if (auto& part = state_->parts[static_cast<std::size_t>(from)]; !part.empty())
      add_line(state_, from, std::exchange(part, {}));
  bool wake = false;
  {
    const std::lock_guard one{state_->mutex};
    state_->is_over = true;
    wake = queue(*state_);
  }
  if (wake)
    state_->notify(state_);
}

std::uint64_t worker_log::lost() const {
  const std::lock_guard one{state_->mutex};
  return state_->lost;
}

writer::writer(options o) : impl_(std::make_shared<impl>(std::move(o))) { impl_->start(); }

writer::~writer() { impl_->stop(); }

std::unique_ptr<worker_log> writer::open(const std::string& application, const std::string& deployment,
                                         const std::string& replica, std::uint64_t revision) {
  auto s = std::make_shared<worker_state>();
  s->notify = [to = std::weak_ptr<impl>{impl_}](std::shared_ptr<worker_state> x) {
    if (const auto there = to.lock())
      there->add(std::move(x));
  };
  s->settings = impl_->settings();
  s->folder = folder_of(s->settings.data_dir, application, deployment);
  s->replica = replica;
  s->revision = revision;
  return std::make_unique<worker_log>(std::move(s));
}

void writer::flush() { impl_->flush(); }

} // namespace troupe::logs
