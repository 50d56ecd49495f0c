// `plan`: what a deploy would change.
#include <troupe/app/cli/config_input.hpp>
#include <troupe/app/cli/text.hpp>

#include <ostream>

namespace troupe::cli {
namespace po = boost::program_options;
namespace {

constexpr std::size_t longest_value = 60;

std::string value_text(const json& value) {
  return cut(harmless(value.dump(-1, ' ', false, json::error_handler_t::replace)), longest_value);
}

std::string what_class_does(const std::string& kind) {
  return kind == "code"     ? "replaces replicas"
         : kind == "config" ? "reconfigures replicas"
         : kind == "count"  ? "scales"
                            : "touches no replica";
}

void print_change(const json& change, std::ostream& out) {
  const auto name = deployment_path{value_or<std::string>(change, "application", ""),
                                    value_or<std::string>(change, "deployment", "")};
  out << harmless(name.name.empty() ? name.application : name.shown()) << ": "
      << harmless(value_or<std::string>(change, "text", value_or<std::string>(change, "change", ""))) << '\n';
  std::vector<std::vector<std::string>> rows;
  for (const auto& f : part(change, "fields"))
    rows.push_back({"    " + value_or<std::string>(f, "path", ""),
                    value_text(f.value("from", json(nullptr))) + " -> " + value_text(f.value("to", json(nullptr))),
                    what_class_does(value_or<std::string>(f, "class", ""))});
  out << table(rows);
}

/// Whether another set of processes would take HTTP; told where it is so.
bool print_proxies(const json& answer, std::ostream& out) {
  const auto change = part(answer, "proxy_location");
  const auto from = value_or<std::string>(change, "from", "");
  const auto to = value_or<std::string>(change, "to", "");
  if (from != to)
    out << "proxy_location: " << harmless(from) << " -> " << harmless(to) << '\n';
  return from != to;
}

} // namespace

void add_plan_options(po::options_description& to) {
  to.add_options()("prune", po::bool_switch(), "as for `deploy --prune`");
}

exit_code run_plan(invocation& in) {
  const auto& file = in.arguments[0];
  const auto read = read_config(file, in);
  const api daemon{in};
  const auto answer =
      send_config(daemon, read, file, "POST", in.is_set("prune") ? "/plan?prune=true" : "/plan?prune=false",
                  read.document.as_given);
  tell_warnings(answer, read, in);
  if (in.json_output()) {
    in.w.out << answer.dump(2) << '\n';
    return exit_code::done;
  }
  bool any = print_proxies(answer, in.w.out);
  for (const auto& change : part(answer, "changes")) {
    any = any || value_or<std::string>(change, "change", "") != "none";
    print_change(change, in.w.out);
  }
  in.w.out << (any ? "Nothing was done; `troupe deploy " + file + "` does it.\n" : "Nothing would change.\n");
  for (const auto& [name, revision] : part(answer, "revision").items())
    in.w.out << "Revision of " << harmless(name) << ": " << revision.dump() << '\n';
  return exit_code::done;
}

} // namespace troupe::cli
