// `cluster init`, `certificate`, `show`: the CAs of a cluster and its certificates. No daemon is asked.
#include <troupe/app/cli/addresses.hpp>
#include <troupe/app/cli/command.hpp>
#include <troupe/app/cli/text.hpp>
#include <troupe/app/cluster/folder.hpp>
#include <troupe/messages/json_doc.hpp>

#include <ostream>

namespace troupe::cli {
namespace po = boost::program_options;
namespace fs = std::filesystem;
namespace {

std::string text_or(const invocation& in, const char* option, std::string otherwise) {
  return in.has(option) ? in.get<std::string>(option) : std::move(otherwise);
}

fs::path cluster_dir(const invocation& in) {
  if (in.has("dir") && in.get<std::string>("dir").empty())
    throw failure{exit_code::usage, "--dir takes a folder"};
  return in.has("dir") ? fs::path{in.get<std::string>("dir")} : data_dir("", in.w) / "cluster";
}

int days_of(const invocation& in, const char* option) {
  const auto days = in.get<int>(option);
  if (days < 1 || days > cluster::most_days)
    throw failure{exit_code::usage, "--" + std::string{option} + " takes 1 to " + std::to_string(cluster::most_days) +
                                        " days, not " + std::to_string(days)};
  return days;
}

std::string name_of(const std::string& text) {
  if (!cluster::is_name(text))
    throw failure{exit_code::usage,
                  "--name takes " + std::string{cluster::allowed_names} + ", not \"" + harmless(text) + '"'};
  return text;
}

std::vector<std::string> hosts_of(const invocation& in) {
  if (!in.has("host"))
    return {};
  for (const auto& x : in.get<std::vector<std::string>>("host"))
    if (!cluster::is_host(x))
      throw failure{exit_code::usage,
                    "--host takes a host name or an address without port and brackets, not \"" + harmless(x) + '"'};
  return in.get<std::vector<std::string>>("host");
}

cluster::role role_of(const invocation& in) {
  const auto text = text_or(in, "role", "");
  const auto role = cluster::parse_role(text);
  if (!role)
    throw failure{exit_code::usage, "--role takes \"node\", \"client\" or \"controller\"" +
                                        (in.has("role") ? ", not \"" + harmless(text) + '"' : "")};
  return *role;
}

void add_dir(po::options_description& to) {
  to.add_options()("dir", po::value<std::string>()->value_name("DIR"),
                   "the cluster's folder; default: \"cluster\" in $TROUPE_DATA_DIR, else in $XDG_STATE_HOME/troupe, "
                   "else in ~/.local/state/troupe");
}

void add_host_and_days(po::options_description& to) {
  to.add_options()("host", po::value<std::vector<std::string>>()->value_name("HOST"),
                   "a host name or address to write into the certificate; repeatable")(
      "days", po::value<int>()->default_value(cluster::default_days)->value_name("DAYS"),
      "how long the certificate is good");
}

std::string state_of(const cluster::listed& x, cluster::time_point now) {
  if (x.info.not_before > now)
    return "not yet valid";
  if (x.info.not_after <= now)
    return "expired";
  if (x.is_replaced)
    return "replaced";
  return cluster::expiry_text(x.info.not_after, now).empty() ? "good" : "expires soon";
}

json to_json(const cluster::listed& x, cluster::time_point now) {
  return {{"role", cluster::to_string(x.info.role)},
          {"name", x.info.name},
          {"is_ca", x.info.is_authority},
          {"cluster", x.info.cluster},
          {"hosts", x.info.hosts},
          {"not_before", cluster::date_text(x.info.not_before)},
          {"not_after", cluster::date_text(x.info.not_after)},
          {"serial", x.info.serial},
          {"state", state_of(x, now)},
          {"file", x.file.string()}};
}

std::string hosts_text(const std::vector<std::string>& hosts) {
  std::string out;
  for (const auto& x : hosts)
    out += (out.empty() ? "" : ", ") + x;
  return out.empty() ? "-" : out;
}

void print_table(const cluster::listing& x, cluster::time_point now, std::ostream& to) {
  std::vector<std::vector<std::string>> rows{{"ROLE", "NAME", "HOSTS", "EXPIRES", "STATE"}};
  for (const auto& c : x.certificates)
    rows.push_back({std::string{cluster::to_string(c.info.role)}, c.info.name, hosts_text(c.info.hosts),
                    cluster::date_text(c.info.not_after), state_of(c, now)});
  to << table(rows);
}

} // namespace

void add_cluster_init_options(po::options_description& to) {
  add_dir(to);
  to.add_options()("name", po::value<std::string>()->default_value("troupe")->value_name("CLUSTER"),
                   "the cluster's name, for people");
  add_host_and_days(to);
  to.add_options()("ca-days", po::value<int>()->default_value(cluster::default_authority_days)->value_name("DAYS"),
                   "how long the CAs are good");
}

exit_code run_cluster_init(invocation& in) {
  const cluster::new_cluster wanted{.name = name_of(in.get<std::string>("name")),
                                    .controller_hosts = hosts_of(in),
                                    .days = days_of(in, "days"),
                                    .authority_days = days_of(in, "ca-days")};
  if (wanted.authority_days < wanted.days)
    throw failure{exit_code::usage, "--ca-days must not be less than --days: no certificate outlives its CA"};
  const auto dir = cluster_dir(in);
  const auto made = cluster::init(dir, wanted, std::chrono::system_clock::now());
  if (!made)
    throw failure{exit_code::failed, made.why().message};
  in.w.out << "Made the CAs of cluster \"" << wanted.name << "\" in " << dir.string() << ".\n"
           << "The controller's certificate is in " << (dir / "controller").string() << ", good until "
           << cluster::date_text(made->not_after) << ".\n"
           << "Whoever reads the keys in " << (dir / "ca").string()
           << " can join as anything: keep them off the machines of the cluster where you can, and in a backup.\n"
           << "Next: troupe cluster certificate --role node --name NAME"
           << (in.has("dir") ? " --dir " + dir.string() : "") << '\n';
  return exit_code::done;
}

void add_cluster_certificate_options(po::options_description& to) {
  to.add_options()("role", po::value<std::string>()->value_name("ROLE"), "node, client or controller; needed")(
      "name", po::value<std::string>()->value_name("NAME"), "of the process that is to have it; needed");
  add_host_and_days(to);
  add_dir(to);
  to.add_options()("out", po::value<std::string>()->value_name("DIR"),
                   "the new folder; default: \"bundles/ROLE-NAME\" in the cluster's");
}

exit_code run_cluster_certificate(invocation& in) {
  const auto role = role_of(in);
  const cluster::subject to{.role = role, .name = name_of(text_or(in, "name", "")), .hosts = hosts_of(in)};
  const auto made = cluster::issue_bundle(cluster_dir(in), to, days_of(in, "days"), text_or(in, "out", ""),
                                          std::chrono::system_clock::now());
  if (!made)
    throw failure{exit_code::failed, made.why().message};
  in.w.out << "Made the certificate of " << cluster::to_string(role) << " \"" << to.name << "\" in "
           << made->folder.string() << ", good until " << cluster::date_text(made->info.not_after) << ".\n"
           << "Copy that folder to the machine of the " << cluster::to_string(role)
           << ", by a way that nobody can listen to: the key is in it.\n";
  return exit_code::done;
}

void add_cluster_show_options(po::options_description& to) {
  add_dir(to);
  to.add_options()("output,o", po::value<std::string>()->default_value("text")->value_name("text|json"),
                   "form of what is printed");
}

exit_code run_cluster_show(invocation& in) {
  const auto now = std::chrono::system_clock::now();
  const auto dir = cluster_dir(in);
  const auto found = cluster::list(dir, now);
  if (!found)
    throw failure{exit_code::failed, found.why().message};
  if (in.json_output()) {
    json certificates = json::array();
    for (const auto& x : found->certificates)
      certificates.push_back(to_json(x, now));
    const json all{{"folder", dir.string()},
                   {"kind", found->is_cluster ? "cluster" : "bundle"},
                   {"certificates", std::move(certificates)},
                   {"warnings", found->warnings},
                   {"errors", found->errors}};
    in.w.out << all.dump(2, ' ', false, json::error_handler_t::replace) << '\n';
  } else {
    print_table(*found, now, in.w.out);
    for (const auto& x : found->warnings)
      in.w.err << "troupe: warning: " << harmless(x) << '\n';
    for (const auto& x : found->errors)
      in.w.err << "troupe: " << harmless(x) << '\n';
  }
  return found->errors.empty() ? exit_code::done : exit_code::failed;
}

} // namespace troupe::cli
