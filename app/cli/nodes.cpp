// `node list`, `show`, `cordon`, `uncordon`, `drain`, `remove`: the nodes of a cluster. (`node` itself is in node.cpp.)
#include <troupe/app/cli/follow.hpp>
#include <troupe/app/cli/text.hpp>
#include <troupe/messages/resources.hpp>

#include <cmath>
#include <map>
#include <optional>
#include <ostream>

namespace troupe::cli {
namespace po = boost::program_options;
namespace {

constexpr std::chrono::milliseconds drain_period{500};
constexpr int most_unanswered = 20; // ten seconds

std::string word_of(const json& object, const char* key) { return value_or<std::string>(object, key, ""); }

std::string span_of(const json& node, const char* key) {
  return duration_text(std::chrono::milliseconds{std::llround(value_or<double>(node, key, 0.0) * 1000)});
}

// Who drains a node needs no word of the cordon that is part of it.
std::string node_state_text(const json& node) {
  auto state = word_of(node, "state");
  if (value_or(node, "drained", false)) {
    if (state != "DRAINING")
      state += ",DRAINING";
    if (value_or(node, "empty", false))
      state += ",EMPTY";
  } else if (value_or(node, "cordoned", false)) {
    state += ",CORDONED";
  }
  return state;
}

// A column is read at a glance: 67,442,380,800 B = "62.8GiB". `node show` has the bytes.
std::string rounded_bytes(double x) {
  constexpr std::string_view units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t i = 0;
  for (; x >= 1024 && i + 1 < std::size(units); ++i)
    x /= 1024;
  const auto tenths = std::llround(x * 10);
  return std::to_string(tenths / 10) + (tenths % 10 == 0 ? "" : '.' + std::to_string(tenths % 10)) +
         std::string(units[i]);
}

// By name; the API has the operator's own ones apart.
std::map<std::string, std::string> amounts_of(const json& amounts) {
  std::map<std::string, std::string> all;
  for (const auto& [name, x] : amounts.items())
    if (x.is_number())
      all[name] = name == resource_name::memory && x.is_number_unsigned() ? amount_text(name, x.get<std::uint64_t>())
                                                                          : x.dump();
  for (const auto& [name, x] : part(amounts, "resources").items())
    all[name] = x.dump();
  return all;
}

// One of those that the API has always.
std::string used_of_total(const json& node, std::string_view name) {
  const auto& both = part(node, "resources");
  const auto shown = [&](const char* which) {
    const auto x = value_or<double>(part(both, which), std::string(name).c_str(), 0.0);
    return name == resource_name::memory ? rounded_bytes(x) : amount_text(name, to_units(x).value_or(0));
  };
  return shown("used") + '/' + shown("total");
}

std::size_t replicas_of(const json& node) { return value_or<std::size_t>(node, "replicas", 0); }

std::string labels_text(const json& node) {
  std::string all;
  for (const auto& [key, value] : part(node, "labels").items())
    all += (all.empty() ? "" : ", ") + key + '=' + (value.is_string() ? value.get<std::string>() : value.dump());
  return all.empty() ? "-" : all;
}

std::string resources_table(const json& node) {
  const auto& both = part(node, "resources");
  auto used = amounts_of(part(both, "used"));
  auto total = amounts_of(part(both, "total"));
  for (const auto& [name, x] : used)
    total.try_emplace(name, "0");
  std::vector<std::vector<std::string>> rows{{"RESOURCE", "USED", "TOTAL"}};
  for (const auto& [name, x] : total)
    rows.push_back({name, used.try_emplace(name, "0").first->second, x});
  return table(rows);
}

std::string node_path(const std::string& name) {
  if (name.empty())
    throw failure{exit_code::usage, "NAME is empty"};
  return "/nodes/" + percent_encoded(name);
}

// The refusal of a wrong name with the node that may be meant.
[[noreturn]] void refuse_name(const api_error& e, const invocation& in, const api& daemon) {
  std::vector<std::string> names;
  try {
    const auto all = daemon.get("/nodes");
    for (const auto& x : part(all, "nodes"))
      names.push_back(word_of(x, "name"));
  } catch (const failure&) { // the first refusal is the one to tell
  }
  throw api_error{e.code(), e.what() + did_you_mean(in.arguments[0], {names.begin(), names.end()}), e.status(),
                  e.body(), e.wants_json()};
}

template <class Ask>
json about_node(const invocation& in, const api& daemon, Ask question) {
  try {
    return question();
  } catch (const api_error& e) {
    if (e.status() == 404 && word_of(part(e.body(), "error"), "code") == "not_found")
      refuse_name(e, in, daemon);
    throw;
  }
}

json order(const invocation& in, const api& daemon, std::string_view action) {
  const auto path = node_path(in.arguments[0]).append(1, '/').append(action);
  return about_node(in, daemon, [&] { return daemon.send("POST", path, json::object()); });
}

void tell_node(invocation& in, const json& answer, const std::string& sentence) {
  if (in.json_output())
    in.w.out << answer.dump(2) << '\n';
  else
    in.w.out << harmless(in.arguments[0]) << ": " << sentence << '\n';
}

// Follows one node until it is empty.
class drain_watch {
public:
  drain_watch(invocation& in, const api& daemon)
      : in_(in), daemon_(daemon), limit_(wait_limit(in)), begun_(in.w.now()) {}

  exit_code run(json node) {
    for (;;) {
      if (is_over(node)) {
        tell_node(in_, node, "empty after " + duration_text(elapsed()) + ", may be stopped");
        return exit_code::done;
      }
      show(node);
      if (limit_.count() > 0 && elapsed() >= limit_)
        throw failure{exit_code::failed,
                      "not empty after " + duration_text(limit_) + "; it goes on without this command"};
      in_.w.wait(drain_period);
      look(node);
    }
  }

private:
  std::chrono::milliseconds elapsed() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(in_.w.now() - begun_);
  }

  std::string name() const { return harmless(in_.arguments[0]); }

  // What was seen last stays while no daemon answers: it may be restarting.
  void look(json& node) {
    try {
      node = daemon_.get(node_path(in_.arguments[0]));
      unanswered_ = 0;
    } catch (const api_error& e) {
      if (e.status() == 404)
        throw failure{exit_code::failed, name() + " is no node any more: somebody removed it"};
      throw;
    } catch (const failure& e) {
      if (e.code() != exit_code::unreachable || ++unanswered_ > most_unanswered)
        throw;
    }
  }

  bool is_over(const json& node) const {
    const auto state = word_of(node, "state");
    if (value_or(node, "empty", false) || state == "GONE") // gone: it ended once it was empty
      return true;
    if (state == "LOST")
      throw failure{exit_code::failed,
                    name() + " is lost: " + harmless(word_of(node, "message")) + "; what it had is started elsewhere"};
    if (!value_or(node, "drained", false))
      throw failure{exit_code::failed, name() + " drains no more: somebody took that back"};
    return false;
  }

  void show(const json& node) {
    const auto left = replicas_of(node);
    if (!in_.json_output() && shown_ != left) // a reader of the pipe wants it now
      in_.w.out << name() << ": " << count_text(left, "replica") << " left" << std::endl;
    shown_ = left;
  }

  invocation& in_;
  const api& daemon_;
  std::chrono::milliseconds limit_;
  std::chrono::steady_clock::time_point begun_;
  std::optional<std::size_t> shown_;
  int unanswered_ = 0;
};

} // namespace

exit_code run_node_list(invocation& in) {
  const api daemon{in};
  const auto answer = daemon.get("/nodes");
  if (in.json_output()) {
    in.w.out << answer.dump(2) << '\n';
    return exit_code::done;
  }
  const auto& nodes = part(answer, "nodes");
  if (nodes.empty()) {
    in.w.out << "No node has joined. `troupe node --join HOST:PORT` on another machine changes that.\n";
    return exit_code::done;
  }
  std::vector<std::vector<std::string>> rows{
      {"NAME", "STATE", "REPLICAS", "CPU", "MEMORY", "HOST", "SINCE", "MESSAGE"}};
  for (const auto& x : nodes)
    rows.push_back({word_of(x, "name"), node_state_text(x), std::to_string(replicas_of(x)),
                    used_of_total(x, resource_name::cpus), used_of_total(x, resource_name::memory), word_of(x, "host"),
                    span_of(x, "since_s"), word_of(x, "message")});
  in.w.out << table(rows);
  return exit_code::done;
}

exit_code run_node_show(invocation& in) {
  const api daemon{in};
  const auto x = about_node(in, daemon, [&] { return daemon.get(node_path(in.arguments[0])); });
  if (in.json_output()) {
    in.w.out << x.dump(2) << '\n';
    return exit_code::done;
  }
  const auto state = word_of(x, "state");
  std::vector<std::vector<std::string>> rows{
      {"name", word_of(x, "name")}, {"state", node_state_text(x) + " for " + span_of(x, "since_s")},
      {"host", word_of(x, "host")}, {"release", word_of(x, "release")},
      {"labels", labels_text(x)},   {"replicas", std::to_string(replicas_of(x))}};
  if (state != "LOST" && state != "GONE")
    rows.push_back({"last word", span_of(x, "silence_s") + " ago"});
  if (const auto message = word_of(x, "message"); !message.empty())
    rows.push_back({"message", message});
  in.w.out << table(rows) << '\n' << resources_table(x);
  return exit_code::done;
}

exit_code run_node_cordon(invocation& in) {
  const api daemon{in};
  tell_node(in, order(in, daemon, "cordon"), "cordoned, gets no new replicas");
  return exit_code::done;
}

exit_code run_node_uncordon(invocation& in) {
  const api daemon{in};
  tell_node(in, order(in, daemon, "uncordon"), "gets replicas again");
  return exit_code::done;
}

void add_node_drain_options(po::options_description& to) {
  to.add_options()("wait,w", po::bool_switch(), "show how many replicas are left until it is empty")(
      "wait-timeout", po::value<double>()->default_value(0, "0")->value_name("SECONDS"),
      "give up waiting after this long (the drain goes on); 0 = never");
}

exit_code run_node_drain(invocation& in) {
  const api daemon{in};
  drain_watch watch{in, daemon}; // refuses a bad limit before anything is done
  const auto answer = order(in, daemon, "drain");
  if (in.is_set("wait"))
    return watch.run(answer);
  tell_node(in, answer,
            value_or(answer, "empty", false) ? "empty, may be stopped"
                                             : "drains, " + count_text(replicas_of(answer), "replica") + " left");
  return exit_code::done;
}

void add_node_remove_options(po::options_description& to) {
  to.add_options()("force", po::bool_switch(),
                   "also one that is alive and not empty: what it has is started elsewhere");
}

exit_code run_node_remove(invocation& in) {
  const api daemon{in};
  const auto path = node_path(in.arguments[0]) + (in.is_set("force") ? "?force=true" : "");
  tell_node(in, about_node(in, daemon, [&] { return daemon.send("DELETE", path, nullptr); }), "removed");
  return exit_code::done;
}

} // namespace troupe::cli
