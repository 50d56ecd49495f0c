// Chooses the command by the first one or two words.
#include <troupe/app/cli/api.hpp>
#include <troupe/app/cli/command.hpp>
#include <troupe/app/cli/run.hpp>

#include <algorithm>
#include <ostream>

namespace troupe::cli {
namespace {

using words = std::vector<std::string>;

const command* find(std::string_view name) {
  const auto& all = commands();
  const auto it = std::find_if(all.begin(), all.end(), [&](const command& c) { return c.name == name; });
  return it == all.end() ? nullptr : &*it;
}

// The second words of commands that begin with `first`.
std::vector<std::string_view> below(std::string_view first) {
  std::vector<std::string_view> result;
  for (const auto& c : commands())
    if (c.name.size() > first.size() && c.name.starts_with(first) && c.name[first.size()] == ' ')
      result.push_back(c.name.substr(first.size() + 1));
  return result;
}

std::string list(const std::vector<std::string_view>& names) {
  std::string result;
  for (const auto name : names)
    result += (result.empty() ? "" : ", ") + std::string(name);
  return result;
}

bool asks_for_help(const std::string& word) { return word == "--help" || word == "-h" || word == "help"; }

// `itself`: the command of this one word, where there is one.
std::string help_of_group(const std::string& first, const command* itself) {
  std::string text = itself ? help_of(*itself) + '\n' : "";
  text += "usage: troupe " + first + " COMMAND [arguments] [options]\n\nCommands:\n";
  for (const auto& c : commands())
    if (c.name.starts_with(first + ' '))
      text += "  " + std::string(c.name) + ": " + std::string(c.summary) + '\n';
  return text;
}

exit_code dispatch(words arguments, world& w) {
  if (arguments.empty() || asks_for_help(arguments[0])) {
    if (arguments.size() > 1 && arguments[0] == "help") { // troupe help deploy
      arguments.erase(arguments.begin());
      arguments.push_back("--help");
      return dispatch(std::move(arguments), w);
    }
    (arguments.empty() ? w.err : w.out) << help_of_all();
    return arguments.empty() ? exit_code::usage : exit_code::done;
  }
  auto name = arguments[0];
  std::size_t used = 1;
  if (const auto second = below(name); !second.empty()) {
    const auto* itself = find(name);
    if (arguments.size() > 1 && asks_for_help(arguments[1])) {
      w.out << help_of_group(name, itself);
      return exit_code::done;
    }
    const auto given = arguments.size() > 1 ? arguments[1] : std::string{};
    if (!itself || !(given.empty() || given.starts_with('-'))) {
      if (std::find(second.begin(), second.end(), given) == second.end())
        throw failure{exit_code::usage,
                      (given.empty() ? "`troupe " + name + "` needs one of: "
                                     : "there is no command `troupe " + name + ' ' + given + '`' +
                                           did_you_mean(given, second) + "; there are ") +
                          list(second) + (itself ? "; `troupe " + name + " --help` tells of these and of itself" : "")};
      name += ' ' + given;
      used = 2;
    }
  }
  const auto* chosen = find(name);
  if (!chosen) {
    auto names = command_groups();
    for (const auto& c : commands())
      names.push_back(c.name);
    if (name == "--version") {
      chosen = find("version");
    } else {
      throw failure{exit_code::usage, "there is no command `troupe " + name + '`' + did_you_mean(name, names) +
                                          "\n`troupe --help` lists all"};
    }
  }
  auto in = parse(*chosen, words(arguments.begin() + static_cast<std::ptrdiff_t>(used), arguments.end()), w);
  if (in.is_set("help")) {
    w.out << help_of(*chosen);
    return exit_code::done;
  }
  return chosen->run(in);
}

} // namespace

int run(const std::vector<std::string>& arguments, world& w) {
  try {
    const auto code = dispatch(arguments, w);
    w.out.flush();
    if (w.out.fail())
      throw failure{exit_code::failed, "what was to be printed could not be written"};
    return static_cast<int>(code);
  } catch (const api_error& e) {
    if (e.wants_json())
      w.out << e.body().dump(2) << '\n';
    w.err << "troupe: " << e.what() << '\n';
    return static_cast<int>(e.code());
  } catch (const failure& e) {
    w.err << "troupe: " << e.what() << '\n';
    return static_cast<int>(e.code());
  } catch (const std::exception& e) {
    w.err << "troupe: " << e.what() << '\n';
    return static_cast<int>(exit_code::failed);
  }
}

} // namespace troupe::cli
