// One command of the program, and the list of all.
#pragma once

#include <troupe/app/cli/world.hpp>

#include <boost/program_options/options_description.hpp>
#include <boost/program_options/variables_map.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace troupe::cli {

/// A parsed command line of one command.
struct invocation {
  world& w;
  boost::program_options::variables_map values;
  std::vector<std::string> arguments; ///< Those without a dash.

  bool has(const char* option) const { return values.count(option) != 0; }
  template <class T>
  const T& get(const char* option) const {
    return values[option].as<T>();
  }
  bool is_set(const char* flag) const { return has(flag) && get<bool>(flag); }
  bool json_output() const { return has("output") && get<std::string>("output") == "json"; }
};

struct command {
  std::string_view name;      ///< "rollout pause"; the first word of such a one may be a command, too.
  std::string_view arguments; ///< "[APPLICATION/]DEPLOYMENT"
  std::size_t least = 0;      ///< Number of arguments.
  std::size_t most = 0;
  std::string_view summary;
  std::string_view details; ///< Further lines of the help; may be empty.
  std::string_view examples;
  bool is_client = true; ///< Talks to a daemon: has --api-address and so on.
  void (*add_options)(boost::program_options::options_description&) = nullptr;
  exit_code (*run)(invocation&) = nullptr;
};

/// All commands in the order of the help.
const std::vector<command>& commands();

/// First words of commands with two, each once.
std::vector<std::string_view> command_groups();

/// All options of `c`, its own and the common ones.
boost::program_options::options_description options_of(const command& c);
/// Throws `failure` for what it cannot take.
invocation parse(const command& c, const std::vector<std::string>& words, world& w);
std::string help_of(const command& c);
std::string help_of_all();
/// "; did you mean ...?" or nothing.
std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& candidates);

// The commands, each in a file of its own.
exit_code run_serve(invocation& in);
void add_serve_options(boost::program_options::options_description& to);
exit_code run_deploy(invocation& in);
void add_deploy_options(boost::program_options::options_description& to);
exit_code run_logs(invocation& in);
void add_logs_options(boost::program_options::options_description& to);
exit_code run_plan(invocation& in);
void add_plan_options(boost::program_options::options_description& to);
exit_code run_status(invocation& in);
void add_status_options(boost::program_options::options_description& to);
exit_code run_config(invocation& in);
void add_config_options(boost::program_options::options_description& to);
exit_code run_scale(invocation& in);
void add_scale_options(boost::program_options::options_description& to);
exit_code run_rollout_status(invocation& in);
void add_rollout_status_options(boost::program_options::options_description& to);
exit_code run_rollout_pause(invocation& in);
exit_code run_rollout_resume(invocation& in);
exit_code run_rollout_promote(invocation& in);
exit_code run_rollout_abort(invocation& in);
exit_code run_rollout_restart(invocation& in);
void add_rollout_options(boost::program_options::options_description& to);
exit_code run_rollout_undo(invocation& in);
void add_rollout_undo_options(boost::program_options::options_description& to);
exit_code run_rollout_history(invocation& in);
exit_code run_delete(invocation& in);
void add_delete_options(boost::program_options::options_description& to);
exit_code run_cluster_init(invocation& in);
void add_cluster_init_options(boost::program_options::options_description& to);
exit_code run_cluster_certificate(invocation& in);
void add_cluster_certificate_options(boost::program_options::options_description& to);
exit_code run_cluster_show(invocation& in);
void add_cluster_show_options(boost::program_options::options_description& to);
exit_code run_node(invocation& in);
void add_node_options(boost::program_options::options_description& to);
exit_code run_node_list(invocation& in);
exit_code run_node_show(invocation& in);
exit_code run_node_cordon(invocation& in);
exit_code run_node_uncordon(invocation& in);
exit_code run_node_drain(invocation& in);
void add_node_drain_options(boost::program_options::options_description& to);
exit_code run_node_remove(invocation& in);
void add_node_remove_options(boost::program_options::options_description& to);
exit_code run_shutdown(invocation& in);
void add_shutdown_options(boost::program_options::options_description& to);
exit_code run_schema(invocation& in);
exit_code run_completion(invocation& in);
void add_completion_options(boost::program_options::options_description& to);
exit_code run_version(invocation& in);

} // namespace troupe::cli
