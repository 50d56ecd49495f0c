// Asks what SPEC section 8 bounds, shows the ratios, and fails when a bound is missed.
#include "http_servers.hpp"
#include "machine.hpp"
#include "panel.hpp"
#include "questions.hpp"
#include "report.hpp"

#include <boost/program_options.hpp>

#include <algorithm>
#include <exception>
#include <fstream>
#include <iostream>

namespace {

namespace po = boost::program_options;
using namespace troupe::bench;

#ifdef NDEBUG
constexpr bool optimised = true;
#else
constexpr bool optimised = false;
#endif

int run_all(const po::variables_map& given) {
  if (!optimised && given.count("force") == 0) {
    std::cerr << "troupe_bench: this is a debug build, its figures say nothing; use the preset release, or --force\n";
    return 2;
  }
  suite all;
  all.quick = given.count("quick") > 0;
  all.policy = given["policy"].as<std::string>();
  add_call_handle(all);
  add_call_future(all);
  add_rollout(all);
  add_reconfigure(all);
  add_memory(all);
  add_idle(all);
  add_http(all);
  add_worker(all);
  add_node(all);
  add_placement(all);

  run_options options;
  options.filter = given["filter"].as<std::string>();
  options.rounds = given["rounds"].as<int>();
  if (all.quick && options.rounds == 0)
    options.rounds = 2;
  options.repeat_disturbed = !all.quick && given.count("noisy") == 0;
  options.quiet_seconds = given["quiet"].as<double>();
  if (given.count("only-ours") > 0)
    for (auto& q : all.questions)
      q.references.clear();
  auto outcomes = run(all, options);
  for (const auto& x : all.panels)
    run(x, options, outcomes);
  if (outcomes.empty()) {
    std::cerr << "troupe_bench: no line's name contains \"" << options.filter << "\"\n";
    return 2;
  }

  const provenance from{machine_name(), given["commit"].as<std::string>(), optimised ? "release" : "debug"};
  print_table(std::cout, from, outcomes);
  if (given.count("json") > 0) {
    std::ofstream out{given["json"].as<std::string>()};
    write_json(out, from, outcomes);
    if (!out.flush()) {
      std::cerr << "troupe_bench: cannot write " << given["json"].as<std::string>() << "\n";
      return 2;
    }
  }
  const bool all_hold = std::all_of(outcomes.begin(), outcomes.end(), [](const auto& o) { return o.holds(); });
  return all_hold ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
  po::options_description known{"Measures troupe against bare CAF and Asio. Exit codes: 0 all bounds hold, 1 one is "
                                "missed, 2 usage"};
  auto add = known.add_options();
  add("help", "this text");
  add("json", po::value<std::string>(), "also write the lines to this file");
  add("filter", po::value<std::string>()->default_value(""), "only lines whose name contains this");
  add("rounds", po::value<int>()->default_value(0), "rounds per line, the first is dropped; 0: as each line says");
  add("quiet", po::value<double>()->default_value(0), "before a round wait up to so many seconds for a quiet machine");
  add("policy", po::value<std::string>()->default_value("local"),
      "scheduler policy of our runtime: local, sharing, stealing");
  add("noisy", "do not repeat rounds that other processes disturbed");
  add("only-ours", "leave the references out, for profiling");
  add("quick", "small sizes, two rounds: shows that all runs, proves nothing");
  add("force", "run a debug build too");
  add("serve", po::value<std::string>(),
      "be the HTTP server inline, pool, worker, node or beast, a bare actor (caf), or bytes there and back (tcp), "
      "until "
      "standard input ends");
  add("commit", po::value<std::string>()->default_value("unknown"), "the commit that the figures are filed under");
  try {
    po::variables_map given;
    po::store(po::parse_command_line(argc, argv, known), given);
    po::notify(given);
    if (given.count("help") > 0) {
      std::cout << known;
      return 0;
    }
    if (given.count("serve") > 0) {
      serve_http(given["serve"].as<std::string>(), given["policy"].as<std::string>());
      return 0;
    }
    return run_all(given);
  } catch (const std::exception& e) {
    std::cerr << "troupe_bench: " << e.what() << "\n";
    return 2;
  }
}
