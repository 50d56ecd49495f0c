// Polls the status twice a second; a daemon that restarts meanwhile is waited for.
#include <troupe/app/cli/addresses.hpp>
#include <troupe/app/cli/follow.hpp>
#include <troupe/app/cli/status_view.hpp>
#include <troupe/app/cli/text.hpp>

#include <algorithm>
#include <ostream>

namespace troupe::cli {
namespace po = boost::program_options;
namespace {

constexpr std::chrono::milliseconds period{500};
constexpr int most_misses = 20; // ten seconds

class follower {
public:
  follower(invocation& in, const api& daemon, const follow_options& options)
      : w_(in.w), daemon_(daemon), options_(options), is_json_(in.json_output()), begun_(in.w.now()) {}

  exit_code run() {
    for (;;) {
      look();
      const auto code = judge();
      show(code.has_value());
      if (code) {
        finish(*code);
        return *code;
      }
      if (options_.limit.count() > 0 && elapsed() >= options_.limit)
        throw failure{exit_code::failed,
                      "not finished after " + duration_text(options_.limit) + "; it goes on without this command"};
      w_.wait(period);
    }
  }

private:
  std::chrono::milliseconds elapsed() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(w_.now() - begun_);
  }

  bool draws() const { return w_.is_terminal && !is_json_; }

  bool is_watched(const json& app) const {
    const auto name = value_or<std::string>(app, "name", "");
    return options_.only ? name == options_.only->application
                         : options_.applications.empty() || options_.applications.contains(name);
  }

  void look() {
    json answer;
    try {
      answer = daemon_.get(draws() ? "/applications?replicas=true" : "/applications");
      misses_ = 0;
    } catch (const failure& e) {
      if (e.code() != exit_code::unreachable || ++misses_ > most_misses)
        throw;
      return; // what was seen last is shown on
    }
    applications_ = json::array();
    for (auto& app : answer["applications"])
      if (is_watched(app)) {
        if (options_.only)
          keep_only(app);
        applications_.push_back(std::move(app));
      }
  }

  void keep_only(json& app) const {
    auto kept = json::array();
    for (auto& d : app["deployments"])
      if (value_or<std::string>(d, "name", "") == options_.only->name)
        kept.push_back(std::move(d));
    app["deployments"] = std::move(kept);
  }

  // Nothing while something is pending.
  std::optional<exit_code> judge() {
    bool pending = misses_ > 0;
    bool failed = false;
    bool paused = false;
    bool any = false;
    for (const auto& app : applications_) {
      const auto state = value_or<std::string>(app, "state", "");
      const auto& deployments = part(app, "deployments");
      any = any || !deployments.empty() || !options_.only;
      pending = pending || (deployments.empty() && (state == "DEPLOYING" || state == "DELETING"));
      failed = failed || (deployments.empty() && state == "DEPLOY_FAILED");
      for (const auto& d : deployments) {
        const auto result = judge_one(d);
        pending = pending || result == outcome::pending;
        failed = failed || result == outcome::failed;
        paused = paused || result == outcome::paused;
      }
    }
    if (pending)
      return std::nullopt;
    if (options_.gone_is_done)
      return any && !applications_.empty() ? std::nullopt : std::optional{exit_code::done};
    if (is_missing(any))
      throw failure{exit_code::failed, "it is gone: somebody deleted it"};
    return failed ? exit_code::failed : paused ? exit_code::paused : exit_code::done;
  }

  bool is_missing(bool any) const {
    if (options_.only)
      return !any;
    return std::any_of(options_.applications.begin(), options_.applications.end(), [&](const std::string& name) {
      return std::none_of(applications_.begin(), applications_.end(),
                          [&](const json& app) { return value_or<std::string>(app, "name", "") == name; });
    });
  }

  outcome judge_one(const json& d) const {
    if (options_.gone_is_done)
      return outcome::pending;
    const auto known = options_.revisions.find(full_name(d));
    return outcome_of(d, known == options_.revisions.end() ? std::nullopt : std::optional{known->second});
  }

  void show(bool is_last) {
    if (is_json_) {
      if (is_last)
        w_.out << json{{"applications", applications_}}.dump(2) << '\n';
      return;
    }
    if (draws())
      draw();
    else
      print_changes();
  }

  static std::string line_of(const json& d) {
    auto line = harmless(full_name(d)) + "  " + value_or<std::string>(d, "state", "") + "  " +
                std::to_string(value_or<std::uint64_t>(d, "available", 0)) + '/' +
                std::to_string(value_or<std::uint64_t>(d, "num_replicas", 0)) + " available  " + rollout_text(d);
    if (const auto message = message_of(d); !message.empty())
      line += "  " + harmless(message);
    return line;
  }

  void print_changes() {
    for (const auto& app : applications_)
      for (const auto& d : part(app, "deployments")) {
        auto line = line_of(d);
        auto& last = printed_[full_name(d)];
        if (line != last)
          w_.out << duration_text(elapsed()) << "  " << line << std::endl; // a reader of the pipe wants it now
        last = std::move(line);
      }
  }

  std::string coloured(const json& d, std::string text) const {
    if (!w_.has_colour)
      return text;
    const auto state = value_or<std::string>(d, "state", "");
    const char* colour = state == "HEALTHY"                                 ? "\x1b[32m"
                         : state == "DEPLOY_FAILED" || state == "UNHEALTHY" ? "\x1b[31m"
                                                                            : "\x1b[33m";
    return colour + text + "\x1b[0m";
  }

  void draw() {
    constexpr std::string_view legend = "# new  o old  + starting  ~ reconfiguring  - stopping  ! given up";
    std::string text;
    std::size_t lines = 2;
    for (const auto& app : applications_)
      for (const auto& d : part(app, "deployments")) {
        text += coloured(d, cut(line_of(d), w_.width)) + "\x1b[K\n";
        text += "  " + replica_row(d, w_.width > 10 ? w_.width - 4 : 6) + "\x1b[K\n";
        lines += 2;
      }
    text += cut(legend, w_.width) + "\x1b[K\n";
    text += duration_text(elapsed()) + (misses_ > 0 ? "  the daemon does not answer, waiting" : "") + "\x1b[K\n";
    if (drawn_ > 0)
      w_.out << "\x1b[" << drawn_ << 'A';
    w_.out << text << "\x1b[J";
    w_.out.flush();
    drawn_ = lines;
  }

  void finish(exit_code code) {
    if (is_json_)
      return;
    const auto time = " after " + duration_text(elapsed());
    if (code == exit_code::done)
      tell_done(time);
    else if (code == exit_code::paused)
      w_.out << "Paused" << time << ". `troupe rollout resume` goes on, `troupe rollout abort` goes back.\n";
    else
      tell_failures(time);
  }

  void tell_done(const std::string& time) {
    w_.out << "Done" << time << ".\n";
    for (const auto& app : applications_)
      for (const auto& d : part(app, "deployments"))
        if (const auto room = room_text(d); !room.empty())
          w_.out << harmless(full_name(d)) << ": " << room << "; they start when there is some.\n";
  }

  void tell_failures(const std::string& time) {
    w_.out << "Failed" << time << ".\n";
    for (const auto& app : applications_) {
      if (part(app, "deployments").empty())
        w_.err << "troupe: " << harmless(value_or<std::string>(app, "name", "")) << ": "
               << harmless(value_or<std::string>(app, "message", "")) << '\n';
      for (const auto& d : part(app, "deployments"))
        if (judge_one(d) == outcome::failed) {
          const auto why = harmless(message_of(d));
          w_.err << "troupe: " << harmless(full_name(d)) << ": "
                 << (why.empty() ? "another revision took the place of this one" : why) << '\n';
        }
    }
  }

  world& w_;
  const api& daemon_;
  const follow_options& options_;
  bool is_json_;
  std::chrono::steady_clock::time_point begun_;
  json applications_ = json::array();
  std::map<std::string, std::string> printed_;
  std::size_t drawn_ = 0;
  int misses_ = 0;
};

} // namespace

exit_code follow(invocation& in, const api& daemon, const follow_options& options) {
  return follower{in, daemon, options}.run();
}

void add_wait_options(po::options_description& to) {
  to.add_options()("wait,w", po::bool_switch(), "show the rollout until it has ended")(
      "wait-timeout", po::value<double>()->default_value(0, "0")->value_name("SECONDS"),
      "give up waiting after this long (the rollout goes on, also one that waits for room); 0 = never");
}

std::chrono::milliseconds wait_limit(const invocation& in) {
  return parse_seconds(in.get<double>("wait-timeout"), "--wait-timeout");
}

} // namespace troupe::cli
