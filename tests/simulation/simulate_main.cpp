// simulate: runs scenarios by the thousand and says which seed breaks which invariant.
#include "scenario.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace {

using namespace troupe;
using namespace troupe::simulation_tests;

struct arguments {
  std::uint64_t first = 1;
  std::uint64_t count = 1000;
  std::uint64_t jobs = 1;
  std::optional<std::uint64_t> seed;
  bool verbose = false;
  bool keep_going = false;
  bool on_nodes = false;
  std::string wrong = "none";
};

struct named_rule {
  const char* name;
  deployment_state::wrong_rule rollout;
  wrong_request_rule request;
};

using deployment_state::wrong_rule;
using wr = wrong_request_rule;
constexpr named_rule rules[] = {
    {"none", wrong_rule::none, wr::none},
    {"round_up", wrong_rule::round_up, wr::none},
    {"drain_below_n", wrong_rule::drain_below_n, wr::none},
    {"wave_ignores_stopping", wrong_rule::wave_ignores_stopping, wr::none},
    {"starts_superseded", wrong_rule::starts_superseded, wr::none},
    {"skips_config", wrong_rule::skips_config, wr::none},
    {"reconfigure_all", wrong_rule::reconfigure_all, wr::none},
    {"keeps_surplus", wrong_rule::keeps_surplus, wr::none},
    {"no_retry", wrong_rule::no_retry, wr::none},
    {"drains_early", wrong_rule::drains_early, wr::none},
    {"fills_with_target", wrong_rule::fills_with_target, wr::none},
    {"trusts_old_room", wrong_rule::trusts_old_room, wr::none},
    {"exceeds_limit", wrong_rule::none, wr::exceeds_limit},
    {"always_idempotent", wrong_rule::none, wr::always_idempotent},
    {"refuses_meanwhile", wrong_rule::none, wr::refuses_meanwhile},
    {"answers_twice", wrong_rule::none, wr::answers_twice},
    {"leaks_object", wrong_rule::none, wr::leaks_object},
    {"loses_stopped", wrong_rule::none, wr::loses_stopped},
    {"answers_early", wrong_rule::none, wr::answers_early},
    {"overtakes", wrong_rule::none, wr::overtakes},
    {"scale_not_stored", wrong_rule::scale_not_stored, wr::none},
    {"unsynced_answers", wrong_rule::none, wr::unsynced_answers},
};

int usage() {
  std::fputs("usage: simulate [--first S] [--count N] [--jobs J] [--keep-going] [--nodes] [--wrong RULE]\n"
             "       simulate --seed S [--verbose] [--nodes] [--wrong RULE]\nrules:",
             stderr);
  for (const auto& r : rules)
    std::fprintf(stderr, " %s", r.name);
  std::fputc('\n', stderr);
  return 2;
}

bool read(int argc, char** argv, arguments& a) {
  for (int i = 1; i < argc; ++i) {
    const std::string key = argv[i];
    const bool flag = key == "--verbose" || key == "--keep-going" || key == "--nodes";
    if (!flag && i + 1 >= argc)
      return false;
    const auto number = [&] { return std::strtoull(argv[i + 1], nullptr, 10); };
    if (key == "--first")
      a.first = number();
    else if (key == "--count")
      a.count = number();
    else if (key == "--jobs")
      a.jobs = std::max(1ULL, number());
    else if (key == "--seed")
      a.seed = number();
    else if (key == "--wrong")
      a.wrong = argv[i + 1];
    else if (key == "--verbose")
      a.verbose = true;
    else if (key == "--keep-going")
      a.keep_going = true;
    else if (key == "--nodes")
      a.on_nodes = true;
    else
      return false;
    i += flag ? 0 : 1;
  }
  return true;
}

struct totals {
  std::uint64_t passed = 0, failed = 0, steps = 0, requests = 0, answers = 0, objects = 0, commands = 0, healthy = 0,
                deploy_failed = 0, paused = 0, other = 0, crashes = 0, in_workers = 0, lost_nodes = 0, adopted = 0,
                from_nodes = 0, far_answers = 0;
};

/// Runs a seed again, now with its trace, and tells.
void tell(scenario_options o, const testing::invariant_broken& first) {
  o.trace_lines = 40;
  try {
    run_scenario(o);
    std::printf("invariant %d: %s\nseed %llu (did not fail again: the run is not deterministic)\n", first.number(),
                first.sentence().c_str(), static_cast<unsigned long long>(o.seed));
  } catch (const testing::invariant_broken& e) {
    std::printf("%s\n", e.what());
  }
  std::fflush(stdout);
}

totals run(const arguments& a, const named_rule& rule, std::uint64_t offset) {
  totals t;
  const auto config = testing::make_config();
  for (auto seed = a.first + offset; seed < a.first + a.count; seed += a.jobs) {
    scenario_options o{.seed = seed,
                       .on_nodes = a.on_nodes,
                       .wrong = rule.rollout,
                       .wrong_request = rule.request,
                       .config = config.get()};
    try {
      const auto r = run_scenario(o);
      if (seed % 100 == 0)
        if (const auto again = run_scenario(o); again.digest != r.digest)
          throw testing::invariant_broken(0, "the trace digests of two runs differ", seed, {});
      ++t.passed;
      t.steps += r.steps;
      t.requests += r.requests;
      t.answers += r.answers;
      t.objects += r.objects;
      t.commands += r.commands;
      t.healthy += r.healthy;
      t.deploy_failed += r.failed;
      t.paused += r.paused;
      t.crashes += r.crashes;
      t.in_workers += r.in_workers ? 1U : 0U;
      t.lost_nodes += r.lost_nodes;
      t.adopted += r.adopted;
      t.from_nodes += r.from_nodes;
      t.far_answers += r.far_answers;
      t.other += r.other;
    } catch (const testing::invariant_broken& e) {
      ++t.failed;
      tell(o, e);
      if (!a.keep_going)
        break;
    }
  }
  return t;
}

totals run_jobs(const arguments& a, const named_rule& rule) {
  if (a.jobs == 1)
    return run(a, rule, 0);
  std::vector<int> ends;
  for (std::uint64_t job = 0; job < a.jobs; ++job) {
    int fds[2];
    if (pipe(fds) != 0)
      std::abort();
    std::fflush(stdout);
    if (fork() == 0) {
      const auto t = run(a, rule, job);
      const auto written = write(fds[1], &t, sizeof t);
      std::fflush(stdout);
      _exit(written == sizeof t ? 0 : 1);
    }
    close(fds[1]);
    ends.push_back(fds[0]);
  }
  totals sum;
  for (const auto fd : ends) {
    totals t;
    if (::read(fd, &t, sizeof t) != sizeof t)
      t = {.failed = 1}; // the process crashed
    close(fd);
    const auto add = [](std::uint64_t& to, std::uint64_t x) { to += x; };
    add(sum.passed, t.passed);
    add(sum.failed, t.failed);
    add(sum.steps, t.steps);
    add(sum.requests, t.requests);
    add(sum.answers, t.answers);
    add(sum.objects, t.objects);
    add(sum.commands, t.commands);
    add(sum.healthy, t.healthy);
    add(sum.deploy_failed, t.deploy_failed);
    add(sum.paused, t.paused);
    add(sum.crashes, t.crashes);
    add(sum.in_workers, t.in_workers);
    add(sum.lost_nodes, t.lost_nodes);
    add(sum.adopted, t.adopted);
    add(sum.from_nodes, t.from_nodes);
    add(sum.far_answers, t.far_answers);
    add(sum.other, t.other);
  }
  while (wait(nullptr) > 0) {
  }
  return sum;
}

int run_one(const arguments& a, const named_rule& rule) {
  scenario_options o{.seed = *a.seed,
                     .trace_lines = a.verbose ? std::size_t{1'000'000} : 40,
                     .on_nodes = a.on_nodes,
                     .wrong = rule.rollout,
                     .wrong_request = rule.request};
  try {
    const auto r = run_scenario(o);
    if (a.verbose)
      std::fputs(r.trace.c_str(), stdout);
    std::printf("seed %llu passed: %llu steps, digest %016llx\n", static_cast<unsigned long long>(o.seed),
                static_cast<unsigned long long>(r.steps), static_cast<unsigned long long>(r.digest));
    return 0;
  } catch (const testing::invariant_broken& e) {
    std::printf("%s\n", e.what());
    return 1;
  }
}

} // namespace

int main(int argc, char** argv) {
  arguments a;
  if (!read(argc, argv, a))
    return usage();
  const named_rule* rule = nullptr;
  for (const auto& r : rules)
    if (a.wrong == r.name)
      rule = &r;
  if (!rule)
    return usage();
  if (a.seed)
    return run_one(a, *rule);
  const auto begin = std::chrono::steady_clock::now();
  const auto t = run_jobs(a, *rule);
  const auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const auto n = static_cast<double>(std::max<std::uint64_t>(t.passed, 1));
  std::printf(
      "per seed: %.1f commands, %.0f steps, %.1f replicas, %.1f requests, %.1f answered, %.2f crashes, %.0f %% in "
      "workers; "
      "deployments at rest: %llu "
      "healthy, %llu failed, %llu paused, %llu other\n",
      static_cast<double>(t.commands) / n, static_cast<double>(t.steps) / n, static_cast<double>(t.objects) / n,
      static_cast<double>(t.requests) / n, static_cast<double>(t.answers) / n, static_cast<double>(t.crashes) / n,
      100 * static_cast<double>(t.in_workers) / n, static_cast<unsigned long long>(t.healthy),
      static_cast<unsigned long long>(t.deploy_failed), static_cast<unsigned long long>(t.paused),
      static_cast<unsigned long long>(t.other));
  if (a.on_nodes)
    std::printf("on nodes: %.2f of them lost per seed, %llu replicas adopted in all; %.1f requests per seed from "
                "there, %.1f answered\n",
                static_cast<double>(t.lost_nodes) / n, static_cast<unsigned long long>(t.adopted),
                static_cast<double>(t.from_nodes) / n, static_cast<double>(t.far_answers) / n);
  std::printf("%llu seeds passed, %llu failed, %.0f seeds/s\n", static_cast<unsigned long long>(t.passed),
              static_cast<unsigned long long>(t.failed), static_cast<double>(t.passed + t.failed) / seconds);
  return t.failed == 0 ? 0 : 1;
}
