// Invariants of SPEC section 7 that a DeploymentState alone can break: 1, 2, 5, 6 (width), 11.
#pragma once

#include <troupe/actors/deployment_state/machine.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace troupe::testing {

/// Follows one deployment by the events that reached it and the effects that it decided on, with counts and arithmetic
/// of its own, and says which rule a step broke. Confined to its world.
class rollout_invariants {
public:
  using broken = std::function<void(int invariant, std::string sentence)>;

  rollout_invariants(std::string name, bool room_limited, broken report)
      : name_(std::move(name)), room_limited_(room_limited), report_(std::move(report)) {}

  void stepped(const deployment_state::any_event& ev, const deployment_state::transition& t);

  /// From now on the reason for an availability below N may be a fault.
  void allow_faults() { faults_ = true; }

  std::uint32_t target_count() const { return n_; }
  std::uint32_t available() const { return count_[available_state] + count_[reconfiguring_state]; }
  std::uint32_t live() const { return count_[starting_state] + available(); }
  std::uint32_t stopping() const { return count_[stopping_state]; }
  /// What its replicas hold that start, run or stop.
  resources held() const;
  /// Nothing starts, stops or reconfigures.
  bool still() const { return count_[starting_state] + count_[reconfiguring_state] + count_[stopping_state] == 0; }
  std::uint32_t given_up() const { return count_[given_up_state]; }
  const deployment_state::release_ptr& target() const { return target_; }
  const deployment_state::release_ptr& base() const { return base_; }
  bool deleted() const { return deleting_; }

  /// Replicas that the running start_first wave has on top of N at most; 0 = there is none.
  std::uint32_t surge() const { return wave_ == wave_kind::start_first ? width_ : 0; }

  /// Ids of all replicas that serve, for a simulation that wants to kill one.
  std::vector<std::uint64_t> serving() const;
  /// What its replica was started with or last updated to; null when it is unknown.
  deployment_state::release_ptr release_of(std::uint64_t replica) const;

private:
  enum state : std::uint8_t {
    none,
    starting_state,
    available_state,
    reconfiguring_state,
    stopping_state,
    given_up_state,
    states
  };
  enum class wave_kind : std::uint8_t { none, start_first, stop_first, reconfigure };

  struct replica {
    std::uint64_t id = 0;
    state now = none;
    deployment_state::release_ptr what;
    deployment_state::stop_cause cause{};
    bool of_this_rollout = false;
    std::uint32_t update_seq = 0;
  };

  void on(const deployment_state::event::deploy& ev, const deployment_state::transition& t);
  void on(const deployment_state::event::restore& ev, const deployment_state::transition& t);
  void on(const deployment_state::event::scale& ev, const deployment_state::transition& t);
  void on(const deployment_state::event::remove&, const deployment_state::transition& t);
  void on(const deployment_state::event::reconfigured& ev, const deployment_state::transition& t);
  void on(const deployment_state::event::room& ev, const deployment_state::transition& t);
  template <class Other>
  void on(const Other&, const deployment_state::transition&) {}

  void run(const deployment_state::effect::start& e);
  void run(const deployment_state::effect::route& e);
  void run(const deployment_state::effect::update& e);
  void run(const deployment_state::effect::stop& e);
  void run(const deployment_state::effect::abandon& e);
  void run(const deployment_state::effect::forget& e);
  void run(const deployment_state::effect::apply_options& e);
  void run(const deployment_state::effect::claim& e);
  void run(const deployment_state::effect::notify& e);
  template <class Other>
  void run(const Other&) {}

  void new_rollout(const deployment_state::release_ptr& r);
  void find_wave(const std::vector<deployment_state::any_effect>& effects, std::size_t i);
  void begin_wave(const std::string& text, std::uint32_t stops);
  void check_live();
  replica& at(const replica_ref& ref);
  void move(replica& r, state to);
  std::uint32_t reachable() const;
  bool is_target(const replica& r) const { return target_ && r.what && r.what->code_id == target_->code_id; }

  std::string name_;
  bool room_limited_;
  broken report_;
  bool faults_ = false;

  deployment_state::release_ptr target_, base_;
  std::uint32_t n_ = 0;
  std::uint32_t floor_ = 0; // `reachable` after the last step
  bool deleting_ = false;
  bool same_target_ = false;      // the event is a deploy of what is the target already
  std::vector<replica> replicas_; // by slot
  std::uint32_t count_[states] = {};
  std::uint32_t stopping_for_update_ = 0;

  static constexpr auto none_noted = static_cast<std::size_t>(-1);
  std::size_t wave_noted_ = none_noted; // effect that was handled ahead of its place
  wave_kind wave_ = wave_kind::none;
  std::uint32_t width_ = 0; // W of the running wave, by the spec's rule
  std::uint32_t highest_code_ = 0;
  bool fresh_code_ = false;      // nothing ever ran of the target's code before this rollout
  std::uint32_t first_wave_ = 0; // size of this rollout's first wave
  std::uint32_t first_width_ = 0;
  bool first_wave_over_ = false;
  std::uint32_t became_available_ = 0;
  std::uint32_t taken_away_ = 0;
  std::uint32_t out_by_wave_ = 0; ///< Of a stop_first wave: not yet available again.
  std::uint32_t out_by_checks_ = 0;

  std::uint64_t room_seq_ = 0, room_serial_ = 0;
  std::vector<shape_claim> shapes_; // as claimed last; `want` is what is granted
  bool excused_ = true;             // fewer than N are available for a reason that is no fault
};

} // namespace troupe::testing
