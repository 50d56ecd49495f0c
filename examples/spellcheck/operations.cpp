// The steps of the show.
#include "operations.hpp"

#include <algorithm>

namespace spellcheck {

using namespace std::chrono_literals;

namespace {

constexpr auto longest_update = 120s;

bool at_rest(const troupe::deployment_status& s) {
  return s.rollout.phase == troupe::rollout_phase::complete && s.available == s.num_replicas && s.starting == 0 &&
         s.reconfiguring == 0 && s.stopping == 0;
}

} // namespace

troupe::deployment_options operations::target(const std::string& version) const {
  return troupe::deployment_options(name)
      .version(version)
      .num_replicas(options_.replicas)
      .init_args({{"dictionary", options_.dictionary}})
      .user_config(personal_); // a target is whole: what it leaves out is gone
}

speller_handle operations::deploy_first() {
  runtime_.run<speller>(target("1"));
  troupe::deployment_status status;
  if (const auto problem = await_rest(status); !problem.empty())
    throw std::runtime_error("the first deployment " + problem);
  return runtime_.handle<speller>(name);
}

void operations::run() {
  const auto step = [this](auto&& action) {
    going_on_ = going_on_ && seen_.pause(options_.pause);
    if (going_on_)
      action();
  };
  const auto n = options_.replicas;
  step([this] { add_personal_words(); });
  step([this] { roll_out_version_2(); });
  step([this] { try_broken_version_3(); });
  const auto many = n * 5 / 2;
  const auto few = std::max(n / 2, 1U);
  step([&] { scale(n, many); });
  step([&] { scale(many, few); });
  step([] {});
}

void operations::add_personal_words() {
  personal_ = {{"edition", 1}, {"words", texts_.personal}};
  if (update(
          "personal dictionary (config)", options_.replicas, [this] { runtime_.run<speller>(target("1")); },
          [this](const auto&) { return check_waves(); }))
    book_.promise_edition(1);
}

void operations::roll_out_version_2() {
  if (update(
          "version 2 (suggestions)", options_.replicas, [this] { runtime_.run<suggesting_speller>(target("2")); },
          [this](const troupe::deployment_status& s) {
            const auto old =
                std::count_if(s.replicas.begin(), s.replicas.end(), [](const auto& r) { return r.version != "2"; });
            return old == 0 ? check_waves() : std::to_string(old) + " replicas are not of version 2";
          }))
    book_.promise_version(2);
}

void operations::try_broken_version_3() {
  update(
      "version 3 (broken, rolled back)", options_.replicas, [this] { runtime_.run<broken_speller>(target("3")); },
      [](const troupe::deployment_status& s) -> std::string {
        if (s.state != troupe::deployment_state_name::deploy_failed || !s.message.starts_with("rolled back"))
          return "was not rolled back: " + troupe::to_string(s.state) + " " + s.message;
        return "";
      });
}

void operations::scale(std::uint32_t from, std::uint32_t to) {
  update(
      "scale " + std::to_string(from) + " -> " + std::to_string(to), std::min(from, to),
      [&] { runtime_.scale(name, to); },
      [&](const troupe::deployment_status& s) { return s.replicas.size() == to ? "" : "has other replicas"; });
}

bool operations::update(const std::string& what, std::uint32_t floor, const std::function<void()>& command,
                        const std::function<std::string(const troupe::deployment_status&)>& check) {
  seen_.begin(what, floor);
  std::string problem;
  try {
    command();
    troupe::deployment_status status;
    problem = await_rest(status);
    if (problem.empty())
      problem = check(status);
    else
      going_on_ = false;
  } catch (const std::exception& e) {
    problem = e.what();
    going_on_ = false;
  }
  if (!seen_.stopped())
    seen_.end(problem);
  return problem.empty();
}

std::string operations::check_waves() const {
  const auto per_wave = std::max(options_.replicas / 5, 1U); // 20 %, rounded down, at least one
  const auto expected = (options_.replicas + per_wave - 1) / per_wave;
  const auto waves = seen_.updates().back().waves.size();
  if (waves == expected)
    return "";
  return "took " + std::to_string(waves) + " waves, promised were " + std::to_string(expected) + " of at most 20 %";
}

std::string operations::await_rest(troupe::deployment_status& status) {
  const auto until = std::chrono::steady_clock::now() + longest_update;
  for (;;) {
    const auto seen = seen_.count();
    status = runtime_.status(name);
    if (at_rest(status))
      return "";
    if (!seen_.await_more(seen, until))
      return "did not end: " + troupe::to_string(status.state) + " " + status.message;
  }
}

} // namespace spellcheck
