// Command lines to values, and the help texts.
#include <troupe/app/cli/command.hpp>
#include <troupe/app/config/suggest.hpp>

#include <boost/program_options/parsers.hpp>
#include <boost/program_options/positional_options.hpp>
#include <boost/program_options/value_semantic.hpp>

#include <algorithm>
#include <sstream>
#include <utility>

namespace troupe::cli {
namespace po = boost::program_options;
namespace {

constexpr unsigned columns = 120;

po::options_description client_options() {
  po::options_description result{"Options of every command that talks to a daemon", columns, columns / 2};
  result.add_options()("api-address", po::value<std::string>()->value_name("HOST:PORT"),
                       "default: $TROUPE_API_ADDRESS, else 127.0.0.1:8265")(
      "data-dir", po::value<std::string>()->value_name("DIR"),
      "where the token is: $TROUPE_DATA_DIR, else $XDG_STATE_HOME/troupe, else ~/.local/state/troupe; $TROUPE_TOKEN "
      "goes "
      "before the file")("timeout", po::value<double>()->default_value(30, "30")->value_name("SECONDS"),
                         "for one answer of the daemon")(
      "output,o", po::value<std::string>()->default_value("text")->value_name("text|json"), "form of what is printed");
  return result;
}

po::options_description hidden_options() {
  po::options_description result;
  result.add_options()("arguments", po::value<std::vector<std::string>>());
  return result;
}

std::string usage(const command& c) {
  return "usage: troupe " + std::string(c.name) + (c.arguments.empty() ? "" : " ") + std::string(c.arguments) +
         " [options]";
}

[[noreturn]] void refuse(const command& c, const std::string& sentence) {
  throw failure{exit_code::usage,
                sentence + "\n" + usage(c) + "\n`troupe " + std::string(c.name) + " --help` tells more"};
}

std::string unknown_option(const command& c, std::string name) {
  std::vector<std::string> names;
  const auto options = options_of(c);
  for (const auto& o : options.options())
    names.push_back("--" + o->long_name());
  return "there is no option " + name + did_you_mean(name, {names.begin(), names.end()});
}

void check(const command& c, const invocation& in) {
  if (in.has("output") && in.get<std::string>("output") != "text" && in.get<std::string>("output") != "json")
    refuse(c, "--output takes \"text\" or \"json\", not \"" + in.get<std::string>("output") + "\"");
  if (in.has("timeout") && !(in.get<double>("timeout") > 0 && in.get<double>("timeout") <= 86400))
    refuse(c, "--timeout takes seconds, more than 0 and at most 86400");
  if (in.arguments.size() < c.least)
    refuse(c, "it needs " + std::string(c.arguments));
  if (in.arguments.size() > c.most)
    refuse(c, "\"" + in.arguments[c.most] + "\" is one argument too many");
}

} // namespace

std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& candidates) {
  const auto best = config::closest(word, candidates);
  return best ? "; did you mean \"" + std::string(*best) + "\"?" : "";
}

std::vector<std::string_view> command_groups() {
  std::vector<std::string_view> result;
  for (const auto& c : commands())
    if (const auto first = c.name.substr(0, c.name.find(' '));
        first.size() < c.name.size() && std::find(result.begin(), result.end(), first) == result.end())
      result.push_back(first);
  return result;
}

po::options_description options_of(const command& c) {
  po::options_description result{"Options", columns, columns / 2};
  if (c.add_options)
    c.add_options(result);
  result.add_options()("help,h", po::bool_switch(), "print this text");
  if (c.is_client)
    result.add(client_options());
  return result;
}

invocation parse(const command& c, const std::vector<std::string>& words, world& w) {
  auto all = options_of(c);
  all.add(hidden_options());
  po::positional_options_description positions;
  positions.add("arguments", -1);
  invocation result{w, {}, {}};
  try {
    const auto style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
    po::store(po::command_line_parser(words).options(all).positional(positions).style(style).run(), result.values);
    po::notify(result.values);
  } catch (const po::unknown_option& e) {
    refuse(c, unknown_option(c, e.get_option_name()));
  } catch (const po::error& e) {
    refuse(c, e.what());
  }
  if (result.has("arguments"))
    result.arguments = result.get<std::vector<std::string>>("arguments");
  if (!result.is_set("help"))
    check(c, result);
  return result;
}

std::string help_of(const command& c) {
  std::ostringstream text;
  text << usage(c) << "\n\n" << c.summary << ".\n";
  if (!c.details.empty())
    text << c.details << '\n';
  text << "\nExamples:\n" << c.examples << '\n' << options_of(c);
  return text.str();
}

std::string help_of_all() {
  std::ostringstream text;
  text << "usage: troupe COMMAND [arguments] [options]\n\n"
          "Deployments of actors: run a daemon, and tell it what to run.\n\nCommands:\n";
  std::size_t width = 0;
  for (const auto& c : commands())
    width = std::max(width, c.name.size());
  for (const auto& c : commands())
    text << "  " << c.name << std::string(width - c.name.size() + 2, ' ') << c.summary << '\n';
  text << "\n`troupe COMMAND --help` shows a command's options and examples.\n"
          "Exit codes: 0 done, 1 failed or rolled back, 2 usage, 3 daemon unreachable, 4 paused.\n";
  return text.str();
}

} // namespace troupe::cli
