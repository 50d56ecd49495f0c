// What the simulated user code and its callers have seen: every request, every object, and the rules that these break.
#pragma once

#include <troupe/app/deployment/promise.hpp>
#include <troupe/app/handle/handle.hpp>
#include <troupe/messages/caf_compat.hpp>
#include <troupe/testing/simulation.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe::simulation_tests {

using testing::simulation;

// -- what deployments of the simulation are asked

struct quick_task {
  std::uint32_t number = 0;
};
struct slow_task {
  std::uint32_t number = 0;
};
struct task_done {
  std::uint32_t number = 0;
};

TROUPE_INSPECT(quick_task, x.number)
TROUPE_INSPECT(slow_task, x.number)
TROUPE_INSPECT(task_done, x.number)

enum class task_kind : std::uint8_t {
  quick,  ///< Answered at once.
  throws, ///< The handler throws.
  later,  ///< Answered after a while.
  drops,  ///< The promise is dropped after a while.
  never,  ///< Kept until the faults end.
};

struct request_record {
  task_kind kind = task_kind::quick;
  std::uint8_t deployment = 0;
  std::uint8_t begun = 0;
  std::uint8_t outcomes = 0;
  errc code = errc::none;
  bool has_timeout = false;
  bool cancelled = false;
  bool idempotent = false;
  std::uint32_t disturbances = 0; ///< Of its deployment when it was sent.
  std::uint32_t deletions = 0;
  std::uint32_t process = 0;   ///< That it was sent from; 0 = the controller's.
  bool may_be_unknown = false; ///< That process may not have heard of the deployment.
  bool is_lost = false;        ///< With the process that it was sent from: what becomes of it is nobody's business.
  std::uint32_t limit = 0;     ///< The highest max_ongoing_requests that its router was seen with.
  std::weak_ptr<const router> by{};
  std::uint64_t given_back = 0; ///< That router's, when it was sent.
  milliseconds takes{0};
  call_token token;
};

/// One user object.
struct object_record {
  std::uint8_t deployment = 0;
  std::uint8_t destroyed = 0;
  bool reconfiguring = false;
  std::uint32_t open = 0;  ///< Requests begun and not ended.
  std::uint32_t limit = 0; ///< Highest max_ongoing_requests in its life.
  std::uint64_t replica = 0;
  std::map<std::uint32_t, std::uint32_t> latest{}; ///< By process: of its requests begun here, the one sent last.
  json config;
};

/// What the books know of one deployment.
struct deployment_record {
  std::string name;
  std::uint32_t limit = 1;        ///< max_ongoing_requests.
  std::uint32_t disturbances = 0; ///< Replicas that left, so that their requests went elsewhere.
  std::uint32_t deletions = 0;
  bool bounded = false;                          ///< max_queued_requests was set at some time.
  std::optional<simulation::time_point> since{}; ///< It is there, in this life of the controller.
};

/// Confined to its simulation; outlives it.
class books {
public:
  books();
  void attach(simulation& s);
  bool answers_early = false; ///< For simulations that must fail.
  /// The process of the simulation ends: its requests have no outcome, and nobody is left to hear of one.
  void crash();
  /// So does one of a node.
  void process_ended(std::uint32_t process);
  /// From now on requests may fail for faults.
  void allow_faults() { faults_ = true; }
  /// A start whose node leaves counts as one that failed, and after some the deployment has failed.
  void let_nodes_leave() { nodes_leave_ = true; }

  // -- callers

  std::uint32_t sent(request_record r, const std::shared_ptr<router>& to); ///< Its number.
  void kept(std::uint32_t request, call_token token) { requests_[request].token = std::move(token); }
  void answered(std::uint32_t request, const task_done& answer);
  void failed(std::uint32_t request, const error& why);
  void cancel(std::uint32_t request);
  const request_record& request(std::uint32_t number) const { return requests_[number]; }

  // -- user code; objects are numbered from 0

  std::uint32_t constructed();
  void destroyed(std::uint32_t object);
  void reconfigured(std::uint32_t object, const json& config);
  void begun(std::uint32_t object, std::uint32_t request, const request_context& ctx);
  void ended(std::uint32_t object);
  /// Keeps the promise of a slow task until it is due.
  void hold(std::uint32_t object, std::uint32_t request, promise<task_done> p);
  /// Answers all that is held, and from now on also what would never be answered.
  void answer_all();

  // -- what there is

  std::size_t deployments() const { return deployments_.size(); }
  deployment_record& deployment(std::size_t i) { return deployments_[i]; }
  std::size_t add_deployment(std::string name);
  std::uint32_t open_requests() const { return open_requests_; }
  std::uint32_t requests() const { return static_cast<std::uint32_t>(requests_.size()); }
  std::uint32_t answers() const { return answers_; }
  std::uint32_t far_answers() const { return far_answers_; } ///< To requests that nodes' routers have sent.
  std::uint32_t objects() const { return static_cast<std::uint32_t>(objects_.size()); }
  std::uint32_t living(std::size_t deployment) const;
  /// Objects of `deployment` whose config is not `config`.
  std::uint32_t with_other_config(std::size_t deployment, const json& config) const;
  std::uint32_t open_requests_of(std::size_t deployment) const;
  /// After the simulation's end: objects that were not destroyed exactly once.
  std::uint32_t not_destroyed_once() const;

private:
  struct held {
    promise<task_done> answer;
    std::uint32_t object = 0;
    std::uint32_t request = 0;
    bool ended = false;
  };

  void due(std::uint32_t place);
  void note_outcome(request_record& r, errc code);
  bool excused(const request_record& r, errc code) const;
  void line(std::string text);

  simulation* simulation_ = nullptr;
  bool crashed_ = false;
  bool faults_ = false;
  bool nodes_leave_ = false;
  bool nothing_held_ = false; // from now on all that is slow is answered in the end
  std::vector<request_record> requests_;
  std::vector<object_record> objects_;
  std::vector<deployment_record> deployments_;
  std::vector<held> held_;
  std::uint32_t open_requests_ = 0;
  std::uint32_t answers_ = 0;
  std::uint32_t far_answers_ = 0;
};

} // namespace troupe::simulation_tests
