// `completion`: a script for bash, made from the list of commands; names of deployments are asked from the daemon.
#include <troupe/app/cli/api.hpp>

#include <algorithm>
#include <ostream>
#include <utility>

namespace troupe::cli {
namespace po = boost::program_options;
namespace {

std::string words_at(std::string_view first) {
  std::string result;
  std::string last;
  for (const auto& c : commands()) {
    if (!first.empty() && !(c.name.starts_with(first) && c.name.size() > first.size() && c.name[first.size()] == ' '))
      continue;
    auto word = std::string(first.empty() ? c.name : c.name.substr(first.size() + 1));
    word.erase(std::min(word.size(), word.find(' ')));
    if (word != last)
      result += (result.empty() ? "" : " ") + word;
    last = word;
  }
  return result;
}

std::string options_text(const command& c) {
  std::string result;
  const auto options = options_of(c);
  for (const auto& o : options.options())
    result += (result.empty() ? "--" : " --") + o->long_name();
  return result;
}

// What may follow: files, names or fixed words.
std::string kind_of(const command& c) {
  if (c.arguments.starts_with("FILE") || c.arguments.starts_with("[CONFIG]"))
    return "files";
  if (c.arguments.find("APPLICATION") != std::string_view::npos)
    return "names";
  return c.arguments == "NAME" ? "nodes" : "none";
}

std::string script() {
  std::string result = R"sh(# bash completion for troupe; use: source <(troupe completion bash)
_troupe() {
  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
  local command=${COMP_WORDS[1]-} options= kind=none
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    mapfile -t COMPREPLY < <(compgen -W '@COMMANDS@ help' -- "$word")
    return
  fi
  case $command in
@GROUPS@  esac
  if [[ $options && ${COMP_WORDS[2]-} != -* ]]; then
    if ((COMP_CWORD == 2)); then
      mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
      return
    fi
    command+=" ${COMP_WORDS[2]-}"
    options=
  fi
  case $command in
@CASES@  esac
  case $previous in
    --data-dir | --code-dir | --secrets-dir | --dir | --cluster-dir | --out) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
    --access-log) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --role) mapfile -t COMPREPLY < <(compgen -W 'node client controller' -- "$word"); return ;;
    --output | -o) mapfile -t COMPREPLY < <(compgen -W 'text json' -- "$word"); return ;;
    --log-level) mapfile -t COMPREPLY < <(compgen -W 'error warning info debug' -- "$word"); return ;;
  esac
  if [[ $word == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
  elif [[ $kind == files ]]; then
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
  elif [[ $kind == names || $kind == nodes ]]; then
    # Names may hold anything but line ends, so they are compared as they are.
    local name
    while IFS= read -r name; do
      [[ $name == "$word"* ]] && COMPREPLY+=("$name")
    done < <("${COMP_WORDS[0]}" completion "--$kind" 2>/dev/null)
  elif [[ $command == completion ]]; then
    mapfile -t COMPREPLY < <(compgen -W bash -- "$word")
  fi
}
complete -o filenames -F _troupe troupe
)sh";
  std::string cases;
  for (const auto& c : commands())
    cases += "    '" + std::string(c.name) + "') options='" + options_text(c) + "' kind=" + kind_of(c) + " ;;\n";
  std::string groups;
  for (const auto first : command_groups())
    groups += "    " + std::string(first) + ") options='" + words_at(first) + "' ;;\n";
  for (const auto& [mark, words] : {std::pair{"@COMMANDS@", words_at({})}, {"@GROUPS@", groups}, {"@CASES@", cases}})
    result.replace(result.find(mark), std::string_view{mark}.size(), words);
  return result;
}

} // namespace

void add_completion_options(po::options_description& to) {
  to.add_options()("names", po::bool_switch(), "print the names of applications and deployments instead")(
      "nodes", po::bool_switch(), "print the names of nodes instead");
}

exit_code run_completion(invocation& in) {
  if (!in.arguments.empty() && in.arguments[0] != "bash")
    throw failure{exit_code::usage, "there is no completion for \"" + in.arguments[0] + "\"; there is one for bash"};
  if (in.is_set("nodes")) {
    const auto answer = api{in}.get("/nodes");
    for (const auto& x : part(answer, "nodes"))
      in.w.out << value_or<std::string>(x, "name", "") << '\n';
    return exit_code::done;
  }
  if (!in.is_set("names")) {
    in.w.out << script();
    return exit_code::done;
  }
  const api daemon{in};
  const auto answer = daemon.get("/applications");
  for (const auto& app : part(answer, "applications")) {
    const auto name = value_or<std::string>(app, "name", "");
    in.w.out << name << '\n';
    for (const auto& d : part(app, "deployments"))
      in.w.out << deployment_path{name, value_or<std::string>(d, "name", "")}.shown() << '\n';
  }
  return exit_code::done;
}

} // namespace troupe::cli
