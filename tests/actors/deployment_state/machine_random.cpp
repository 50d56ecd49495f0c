// Random commands and faults against the machine, from one seed.
#include "machine_random.hpp"

namespace troupe::deployment_state::test {

namespace {

replica_share random_share(random_source& dice) {
  if (dice.chance(60))
    return replica_share::percent(dice.chance(50) ? 20 : 1 + dice.below(100));
  return replica_share::count(1 + dice.below(4));
}

deployment_spec random_spec(random_source& dice) {
  deployment_spec s;
  s.name = "d";
  const auto v = dice.below(6);
  s.version = v == 0 ? "" : "v" + std::to_string(v < 4 ? v : 1);
  if (dice.chance(60))
    s.user_config = json_doc{json(static_cast<int>(1 + dice.below(3)))};
  s.num_replicas = 1 + dice.below(dice.chance(80) ? 8 : 16);
  s.graceful_shutdown_timeout = milliseconds{500 + dice.below(3000)};
  s.health_check_period = milliseconds{1000 + dice.below(9000)};
  s.health_check_timeout = milliseconds{1000 + dice.below(5000)};
  s.startup_timeout = milliseconds{2000 + dice.below(5000)};
  s.max_start_attempts = 1 + dice.below(4);
  auto& r = s.rollout;
  r.strategy = dice.chance(60) ? rollout_strategy::start_first : rollout_strategy::stop_first;
  r.max_surge = random_share(dice);
  r.max_unavailable = random_share(dice);
  r.has_reconfigure_wave = dice.chance(30);
  r.reconfigure_wave = random_share(dice);
  r.surge_fallback = dice.chance(70);
  r.min_ready = milliseconds{dice.chance(60) ? 0 : dice.below(2000)};
  r.bake = milliseconds{dice.chance(70) ? 0 : dice.below(3000)};
  r.progress_deadline = s.startup_timeout + r.min_ready + milliseconds{1 + dice.below(20'000)};
  r.auto_rollback = dice.chance(70);
  r.canary = dice.chance(25) ? 1 : 0;
  if (r.strategy == rollout_strategy::stop_first && s.num_replicas == 1)
    r.canary = 0;
  return s;
}

} // namespace

run_result run_seed(std::uint64_t seed, wrong_rule wrong, bool tracing) {
  random_source dice{seed * 7919 + 13};
  limits l;
  l.room_limited = dice.chance(35);
  l.wrong = wrong;
  world w{seed, l};
  w.tracing = tracing;
  if (l.room_limited)
    w.max_replicas = 2 + dice.below(14);
  random_source appetite{seed ^ 0x2545f491U}; // of resources: what else happens does not depend on them
  if (appetite.chance(40)) {
    w.local.set(resource_name::cpus, (2 + appetite.below(26)) * resource_unit / 2);
    if (appetite.chance(50))
      w.local.set(resource_name::memory, 100 + appetite.below(1200));
  }
  const auto feed = [&](deployment_spec s) {
    s.per_replica = {};
    if (w.local.empty() || appetite.chance(15))
      return s;
    s.per_replica.set(resource_name::cpus, (1 + appetite.below(6)) * resource_unit / 2);
    if (w.local.of(resource_name::memory) > 0 && appetite.chance(50))
      s.per_replica.set(resource_name::memory, 100 * (1 + appetite.below(3)));
    if (appetite.chance(5)) // never fits
      s.per_replica.set("token", 1);
    return s;
  };
  w.can_check = dice.chance(40);
  // Some runs have no faults at all, some few, some many.
  const std::uint32_t level = dice.chance(30) ? 0 : dice.chance(50) ? 5 : 25;
  bool faults = true;
  std::uint32_t bad_version = dice.below(5); // its code never starts; 4 = none
  const auto slow = [&](std::uint32_t usual, std::uint32_t most) {
    return instant{milliseconds{1 + dice.below(faults && dice.chance(level) ? most : usual)}};
  };
  bool bad_for_ever = dice.chance(30);
  w.on_start = [&](const puppet& p) {
    outcome o{.after = slow(200, 8000)};
    const bool bad = p.what->spec.version == "v" + std::to_string(bad_version) && (faults || bad_for_ever) && level > 0;
    o.ok = !bad && !(faults && dice.chance(level));
    o.never = faults && dice.chance(level / 4);
    return o;
  };
  w.on_update = [&](const puppet&) {
    outcome o{.after = slow(200, 9000)};
    o.ok = !(faults && dice.chance(level));
    o.never = faults && dice.chance(level / 4);
    return o;
  };
  w.on_check = [&](const puppet&) {
    outcome o{.after = slow(20, 4000)};
    o.ok = !(faults && dice.chance(level * 2));
    o.never = faults && dice.chance(level / 2);
    return o;
  };
  w.on_stop = [&](const puppet&) {
    outcome o{.after = slow(300, 6000)};
    o.never = faults && dice.chance(level / 3);
    o.ends = !dice.chance(20);
    return o;
  };
  w.copy_percent = level > 0 && dice.chance(50) ? 20 : 0;

  const auto random_ref = [&](std::vector<replica_ref> all) {
    return all.empty() ? replica_ref{} : all[dice.below(static_cast<std::uint32_t>(all.size()))];
  };
  auto last = feed(random_spec(dice));
  w.deploy(last);
  const auto acts = 3 + dice.below(20);
  for (std::uint32_t i = 0; i < acts && w.broken.empty(); ++i) {
    switch (dice.below(4)) { // let a little or much happen between
    case 0:
      break;
    case 1:
      w.run_for(milliseconds{dice.below(300)});
      break;
    case 2:
      w.run_for(milliseconds{dice.below(3000)});
      break;
    default:
      w.run_for(milliseconds{dice.below(30'000)});
    }
    w.in_handler = dice.chance(30);
    const auto what = dice.below(100);
    const auto spec_like = [&](auto change) {
      auto s = last;
      change(s);
      last = s;
      w.deploy(s);
    };
    if (what < 22) {
      last = feed(random_spec(dice));
      w.deploy(last);
    } else if (what < 26) {
      w.deploy(last);
    } else if (what < 34) {
      spec_like([&](auto& s) { s.user_config = json_doc{json(static_cast<int>(1 + dice.below(4)))}; });
    } else if (what < 42) {
      spec_like([&](auto& s) { s.version = "v" + std::to_string(1 + dice.below(3)); });
    } else if (what < 45) {
      spec_like([&](auto& s) { s.max_ongoing_requests = 1 + dice.below(9); });
    } else if (what < 55) {
      w.scale(dice.chance(15) ? 0 : 1 + dice.below(12));
    } else if (what < 75) {
      w.control(static_cast<rollout_action>(dice.below(5)), 0);
    } else if (what < 79) {
      w.control(rollout_action::rollback, dice.below(6));
    } else if (what < 81) {
      w.remove();
      w.run_for(milliseconds{dice.below(500)});
      w.deploy(last);
    } else if (level > 0 && what < 90) {
      if (const auto r = random_ref(w.refs(&puppet::live)); r.id != 0)
        w.kill(r);
    } else if (level > 0 && what < 92) {
      if (const auto r = random_ref(w.refs(&puppet::available)); r.id != 0)
        w.report_stuck(r);
    } else if (!w.local.empty() && what < 94) {
      auto more = w.local;
      w.grow_room(more.set(resource_name::cpus, more.of(resource_name::cpus) + appetite.below(3) * resource_unit));
    } else if (l.room_limited && what < 96) {
      w.grow_room(w.max_replicas + dice.below(3));
    } else {
      w.control(rollout_action::resume);
    }
  }
  // Faults and commands stop.
  faults = false;
  w.in_handler = false;
  if (w.broken.empty()) {
    if (w.status().num_replicas == 0 && dice.chance(70))
      w.scale(1 + dice.below(5));
    if (!w.rest())
      w.broken.push_back("4: does not come to rest");
    w.check_at_rest();
    if (w.broken.empty() && w.phase() == rollout_phase::paused) {
      w.control(rollout_action::resume);
      if (!w.rest())
        w.broken.push_back("4: does not come to rest after resume");
      if (w.phase() == rollout_phase::paused) { // at its canary
        w.control(rollout_action::promote);
        w.rest();
      }
      w.check_at_rest();
      if (w.phase() == rollout_phase::paused)
        w.broken.push_back("4: paused though nobody paused it");
    }
  }
  return {w.broken, w.trace, w.events};
}

} // namespace troupe::deployment_state::test
