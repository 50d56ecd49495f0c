// The show in a terminal: one screenful that is drawn over itself.
#include "show.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <sys/ioctl.h>
#include <unistd.h>
#include <utility>

namespace spellcheck {

namespace {

constexpr std::size_t event_lines = 7;
constexpr std::size_t label_width = 12;

/// Text with colours, cut at the width of the terminal; escape sequences take no room.
class line {
public:
  line(std::size_t width, bool colours) : room_(width), colours_(colours) {}

  line& add(const std::string& text, const char* colour = nullptr) {
    const auto part = text.substr(0, room_);
    room_ -= part.size();
    content_ += colour != nullptr && colours_ ? std::string("\033[") + colour + "m" + part + "\033[0m" : part;
    return *this;
  }
  line& label(const std::string& text) { return add(text + std::string(label_width - text.size(), ' '), "1"); }
  const std::string& content() const { return content_; }

private:
  std::string content_;
  std::size_t room_;
  bool colours_;
};

constexpr const char* red = "1;31";
constexpr const char* green = "1;32";
constexpr const char* faint = "2";

/// A colour for each version, states on top: how a replica is shown.
const char* colour_of(const troupe::replica_status& replica) {
  switch (replica.state) {
  case troupe::replica_state_name::starting:
  case troupe::replica_state_name::recovering:
  case troupe::replica_state_name::pending_migration:
    return "30;43"; // yellow
  case troupe::replica_state_name::updating:
    return "30;45"; // magenta
  case troupe::replica_state_name::stopping:
  case troupe::replica_state_name::stopped:
    return "2;7"; // grey
  case troupe::replica_state_name::running:
    break;
  }
  return replica.version == "1" ? "30;42" : replica.version == "2" ? "30;46" : "37;41"; // green, cyan, red
}

class live_show final : public show {
public:
  live_show(const witness& seen, const ledger& book, std::string title)
      : seen_(seen), book_(book), title_(std::move(title)), colours_(std::getenv("NO_COLOR") == nullptr) {
    std::fputs("\033[?25lstarting ...\r", stdout); // cursor off
    std::fflush(stdout);
  }
  ~live_show() override { finish(); }

  void tick(const troupe::deployment_status& status) override {
    winsize size{};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
      width_ = size.ws_col - 1U;
    std::vector<std::string> lines;
    const auto put = [&](const line& l) { lines.push_back(l.content()); };
    put(blank().add("troupe spellcheck", "1;4").add("  " + title_ + "  " + in_seconds(seen_.elapsed()) + " s"));
    put(operator_line());
    put(replica_line(status));
    put(count_line(status));
    put(rollout_line(status));
    put(request_line(status));
    put(blank().label("answers").add(answers()));
    put(legend());
    for (auto& later : seen_.events(shown_))
      recent_.push_back(std::move(later));
    while (recent_.size() > event_lines)
      recent_.pop_front();
    for (const auto& event : recent_)
      put(blank().add("  +" + in_seconds(event.at) + "  ", faint).add(event.text, event_colour(event.text)));
    lines.resize(8 + event_lines);
    draw(lines);
  }

  void finish() override {
    if (std::exchange(finished_, true))
      return;
    std::fputs("\033[?25h\n", stdout); // cursor on
    std::fflush(stdout);
  }

private:
  line blank() const { return {width_, colours_}; }

  line operator_line() {
    const auto updates = seen_.updates();
    auto l = blank().label("operator");
    if (updates.empty())
      return l.add("first deployment");
    const auto& now = updates.back();
    l.add(std::to_string(updates.size()) + ". " + now.name);
    return now.whole            ? l.add("  done in " + in_seconds(now.took) + " s", green)
           : now.broken.empty() ? l
                                : l.add("  " + now.broken, red);
  }

  line replica_line(const troupe::deployment_status& status) const {
    auto l = blank().label("replicas");
    for (const auto& r : status.replicas) {
      const auto* mark = r.state == troupe::replica_state_name::starting   ? "+ "
                         : r.state == troupe::replica_state_name::updating ? "~ "
                         : r.state == troupe::replica_state_name::stopping ? "- "
                                                                           : "  ";
      l.add(r.version + mark, colour_of(r));
    }
    return l;
  }

  line count_line(const troupe::deployment_status& status) const {
    std::map<std::string, unsigned> versions;
    for (const auto& r : status.replicas)
      versions[r.version] += r.available ? 1U : 0U;
    auto l = blank().label("available");
    l.add(std::to_string(status.available) + " of " + std::to_string(status.num_replicas),
          status.available >= status.num_replicas ? green : red);
    for (const auto& [version, count] : versions)
      l.add("   version " + version + ": " + std::to_string(count));
    return l;
  }

  line rollout_line(const troupe::deployment_status& status) const {
    const auto& r = status.rollout;
    auto l = blank().label("rollout");
    l.add(troupe::to_string(status.state), status.state == troupe::deployment_state_name::deploy_failed ? red : green);
    if (r.phase != troupe::rollout_phase::complete && r.waves > 0)
      l.add("  wave " + std::to_string(r.wave) + " of " + std::to_string(r.waves));
    const auto total = std::max(status.num_replicas, 1U);
    const auto filled = std::min<std::size_t>(20, std::size_t{r.done} * 20 / total);
    l.add("  [" + std::string(filled, '#') + std::string(20 - filled, '.') + "]");
    return l.add("  " + status.message, red);
  }

  line request_line(const troupe::deployment_status& status) {
    const auto rate = meter_.update(book_.answered_count(), seen_.elapsed());
    const auto bad = book_.failed_count() + book_.wrong_count();
    auto l = blank().label("requests");
    l.add(grouped(static_cast<unsigned>(rate)) + "/s   total " + grouped(book_.sent_count()) + "   waiting " +
          std::to_string(status.queued) + "   ");
    return l.add("failed " + std::to_string(book_.failed_count()) + "   wrong " + std::to_string(book_.wrong_count()),
                 bad == 0 ? green : red);
  }

  std::string answers() const {
    return "version 1: " + grouped(book_.by_version(1)) + "   version 2: " + grouped(book_.by_version(2)) + "   " +
           book_.last_suggestion();
  }

  line legend() const {
    auto l = blank().label("");
    l.add("1 ", "30;42").add(" version 1  ").add("2 ", "30;46").add(" version 2  ");
    l.add("n+", "30;43").add(" starts  ").add("n~", "30;45").add(" reconfigures  ").add("n-", "2;7").add(" stops");
    return l.add("   Ctrl-C ends", faint);
  }

  static const char* event_colour(const std::string& text) {
    if (text.starts_with("operator"))
      return "1";
    return text.find("failed") != std::string::npos ? red : nullptr;
  }

  void draw(const std::vector<std::string>& lines) {
    std::string frame = drawn_ > 0 ? "\033[" + std::to_string(drawn_) + "A" : "";
    for (const auto& l : lines)
      frame += "\r" + l + "\033[K\n";
    drawn_ = lines.size();
    std::fputs(frame.c_str(), stdout);
    std::fflush(stdout);
  }

  const witness& seen_;
  const ledger& book_;
  const std::string title_;
  const bool colours_;
  std::size_t width_ = 79;
  std::size_t drawn_ = 0;
  std::uint64_t shown_ = 0;
  std::deque<noted_event> recent_;
  rate_meter meter_;
  bool finished_ = false;
};

} // namespace

std::unique_ptr<show> make_live_show(const witness& seen, const ledger& book, std::string title) {
  return std::make_unique<live_show>(seen, book, std::move(title));
}

} // namespace spellcheck
