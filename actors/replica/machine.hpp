// Decides what one replica does next: construct, configure, answer requests, reconfigure, check, drain, destroy.
//
//   constructing --(1)--> configuring --(3)--> ready <--------(6)------- reconfiguring
//        |   \                 |               |   \                      ^    |    ^
//        |    `--(2) no config-+-------------->'    `--(4)--> quiescing -(5)   |    |
//        |                     |               |                  |         (7)|    |(8)
//        |(9)                  |(10)           |(11)              |(11)        v    |
//        |                     |               v                  v          refusing
//        |                     |            draining <------------+--------------'
//        |                     v               | (12)
//        |                 destroying <--------'
//        v                     | (13)
//      ended <-----------------'
//
//  (1) constructed, and there is a user_config   (2) constructed, and there is none: replica_started
//  (3) configured: replica_started               (4) config_update: no request begins any more
//  (5) what had begun has ended, no check runs   (6) reconfigured; a newer update meanwhile leads to (5) at once
//  (7) reconfigure threw: no request begins until an update succeeds (a replica serves the old config or the new one,
//      whole) or the owner stops it              (8) config_update
//  (9) the constructor threw: start_failed; or killed before there was an object
// (10) the first reconfigure threw: start_failed; or stop came while constructing or configuring
// (11) stop; in reconfiguring it waits for the end of that
// (12) what had begun has ended, no check runs   (13) destroyed
// Killed: from everywhere with an object to destroying.
//
// Adopted: from ready to quiescing, and (5) leads back to ready: replica_started. Everywhere else but in draining and
// later the same follows as soon as it may; an update that waits is the former owner's and is forgotten.
//
// A check runs in ready and refusing, beside begun requests but never while one of its own kind, a reconfigure or a
// handler runs; in the other phases it waits (only the newest does), in draining and later it is dropped.
#pragma once

#include <troupe/messages/json_doc.hpp>
#include <troupe/messages/replica.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace troupe::replica {

enum class phase : std::uint8_t {
  constructing,
  configuring,
  ready,
  quiescing,
  reconfiguring,
  refusing,
  draining,
  destroying,
  ended,
};
std::string to_string(phase x);

namespace event {
struct constructed {
  bool ok = true;
  std::string message;
  json_doc user_config; ///< For the first reconfigure; null = none.
};
/// A `config_update`. Ignored unless `seq` is above the highest seen.
struct update {
  std::uint32_t seq = 0;
  json_doc user_config;
};
/// Nothing that has begun is unfinished. Only meant after `effect::await_drained`.
struct drained {};
struct reconfigured {
  bool ok = true;
  std::string message;
};
/// A `check_replica`. Ignored unless `seq` is above the highest seen.
struct check {
  std::uint32_t seq = 0;
};
struct checked {
  bool ok = true;
  std::string message;
};
struct stop {}; ///< Idempotent.
/// Another owner, which knows it as one that starts: it counts updates and checks anew. When what has begun has ended,
/// it is told that it has started.
struct adopted {};
struct destroyed {
  std::string message; ///< What the destructor threw; empty when it didn't.
};
/// The actor ends now. After this one nothing but `destroyed` may come.
struct killed {
  stop_reason reason = stop_reason::killed;
  std::string message;
};
} // namespace event

/// The complete list of what a replica can do to the world. Those that run user code are answered by one event.
namespace effect {
struct construct {}; ///< Answered by `constructed`.
struct reconfigure { ///< Answered by `reconfigured`.
  json_doc user_config;
};
struct check {};   ///< Answered by `checked`.
struct destroy {}; ///< Answered by `destroyed`.
struct report_started {};
struct report_reconfigured {
  std::uint32_t seq = 0;
  bool ok = true;
  std::string message;
};
struct report_checked {
  std::uint32_t seq = 0;
  bool ok = true;
  std::string message;
};
struct prefer_others { ///< Tell the router to prefer other replicas, or no longer.
  bool on = true;
};
struct stop_intake {};    ///< No request is sent here any more; what has not begun goes back.
struct await_drained {};  ///< Answered by `drained` as soon as nothing is begun; at once if so now.
struct begin_requests {}; ///< Requests may begin (again): look into the inbox.
struct end {              ///< The last word.
  stop_reason reason = stop_reason::asked;
  std::string message;
};
} // namespace effect

using effect_type =
    std::variant<effect::construct, effect::reconfigure, effect::check, effect::destroy, effect::report_started,
                 effect::report_reconfigured, effect::report_checked, effect::prefer_others, effect::stop_intake,
                 effect::await_drained, effect::begin_requests, effect::end>;
using effects = std::vector<effect_type>;

/// Pure; confined to its actor. Small: 100,000 of them are idle most of the time.
class machine {
public:
  effects start(); ///< Once, first.

  effects step(event::constructed e);
  effects step(event::update e);
  effects step(event::drained);
  effects step(event::reconfigured e);
  effects step(event::check e);
  effects step(event::checked e);
  effects step(event::stop);
  effects step(event::adopted);
  effects step(event::destroyed e);
  effects step(event::killed e);

  phase current() const noexcept { return phase_; }
  /// Whether a request may begin now. Asked before each one, also between two of one message.
  bool may_begin() const noexcept { return phase_ == phase::ready && !checking_; }
  /// Whether `drained` is wanted.
  bool awaits_drained() const noexcept {
    return !drained_ && (phase_ == phase::quiescing || phase_ == phase::draining);
  }

private:
  void advance(effects& out);       ///< Takes steps (5) and (12) once their conditions hold.
  void begin_service(effects& out); ///< Constructed and configured; a stop that came meanwhile goes first.
  void run_next(effects& out);      ///< After a reconfigure: stop, newer update, waiting check, requests.
  void begin_check(effects& out);
  void drain(effects& out);
  void finish(effects& out, stop_reason reason, std::string message); ///< To destroying.
  void take_update(event::update& e);

  json_doc pending_config_;
  std::unique_ptr<std::string> message_; ///< Of the end; null = empty.
  std::uint32_t seen_update_ = 0;
  std::uint32_t running_update_ = 0;
  std::uint32_t seen_check_ = 0;
  std::uint32_t running_check_ = 0;
  phase phase_ = phase::constructing;
  stop_reason reason_ = stop_reason::asked;
  bool has_update_ = false; ///< `pending_config_` with `seen_update_` waits.
  bool has_check_ = false;  ///< `seen_check_` waits.
  bool checking_ = false;
  bool drained_ = false;    ///< Holds while no request may begin.
  bool is_new_ = false;     ///< Adopted, and the owner has not been told that it has started.
  bool stop_asked_ = false; ///< While user code runs that must end first.
};

} // namespace troupe::replica
