// What operators say to the controller, and the controller to its deployments.
#pragma once

#include <troupe/messages/caf_compat.hpp>
#include <troupe/messages/code_ref.hpp>
#include <troupe/messages/deployment_spec.hpp>
#include <troupe/messages/replica.hpp>
#include <troupe/messages/status.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace troupe {

struct deployment_name {
  std::string application = "default";
  std::string name;
  std::string full() const { return application == "default" ? name : application + "/" + name; }
  friend bool operator==(const deployment_name&, const deployment_name&) = default;
  // clang-tidy 14 takes the 0 of the comparison that the compiler makes for a pointer.
  friend auto operator<=>(const deployment_name&, const deployment_name&) = default; // NOLINT(modernize-use-nullptr)
};
TROUPE_INSPECT(deployment_name, x.application, x.name)

// -- commands ------------------------------------------------------------------------------------------------------

/// Creates or updates; declarative, the last accepted one wins. Errors: `invalid_spec`.
struct deploy_deployment {
  deployment_spec spec;
  code_ref user_code;
};
TROUPE_INSPECT(deploy_deployment, x.spec, x.user_code)

/// Drains, then removes. Answered when it is gone. Errors: `unknown_deployment`; `rejected` when a deploy supersedes
/// it.
struct delete_deployment {
  deployment_name target;
};
TROUPE_INSPECT(delete_deployment, x.target)

/// Errors: `unknown_deployment`, `invalid_spec` above the bound, `rejected` while it is deleted.
struct scale_deployment {
  deployment_name target;
  std::uint32_t num_replicas = 1;
};
TROUPE_INSPECT(scale_deployment, x.target, x.num_replicas)

/// Travels: never renumber.
enum class rollout_action : std::uint8_t { pause = 0, resume = 1, promote = 2, abort = 3, restart = 4, rollback = 5 };
std::string to_string(rollout_action x);
constexpr rollout_action last_enumerator(rollout_action) { return rollout_action::rollback; }

/// Errors: `unknown_deployment`; `rejected` with the reason.
struct control_rollout {
  deployment_name target;
  rollout_action action = rollout_action::pause;
  std::uint64_t revision = 0; ///< For `rollback`: which one; 0 = the one before the target.
  code_ref user_code{};       ///< For `rollback` and `restart`: the code loaded anew; empty = as it is loaded.
};
TROUPE_INSPECT(control_rollout, x.target, x.action, x.revision, x.user_code)

struct stored_deployment; // stored_deployment.hpp

/// Takes up a deployment where a stored snapshot left it. Local: the snapshot does not travel. Errors: `rejected` when
/// there is a deployment of this name.
struct restore_deployment {
  deployment_name target;
  std::shared_ptr<const stored_deployment> state;
  bool others_follow = false; ///< It takes no more room than it held until `restoration_finished`.
};
TROUPE_INSPECT(restore_deployment, x.target, x.others_follow)

/// All that is to be restored together has been: what is left of room is for whoever lacks some.
struct restoration_finished {};
TROUPE_INSPECT(restoration_finished)

/// What an accepted command set in motion. Travels: never renumber.
enum class change_kind : std::uint8_t {
  none = 0, ///< Everything equal: no message reached a replica.
  created = 1,
  light = 2, ///< Options that touch no replica.
  scaled = 3,
  reconfigured = 4,
  replaced = 5, ///< A rolling replacement.
};
std::string to_string(change_kind x);
constexpr change_kind last_enumerator(change_kind) { return change_kind::replaced; }

struct command_result {
  change_kind change = change_kind::none;
  std::uint64_t revision = 0; ///< Of the target after the command.
  std::string message;        ///< Advice for people; often empty.
};
TROUPE_INSPECT(command_result, x.change, x.revision, x.message)

struct removed_deployment {
  deployment_name target;
};
TROUPE_INSPECT(removed_deployment, x.target)

// -- queries -------------------------------------------------------------------------------------------------------

struct get_deployment {
  deployment_name target;
  bool with_replicas = true; ///< Listing replicas costs time in proportion to their number.
};
TROUPE_INSPECT(get_deployment, x.target, x.with_replicas)

struct get_applications {
  bool with_replicas = false;
};
TROUPE_INSPECT(get_applications, x.with_replicas)

struct application_list {
  std::vector<application_status> applications;
};
TROUPE_INSPECT(application_list, x.applications)

/// The full effective config: every option, defaults included, as it runs.
struct get_effective_spec {
  deployment_name target;
};
TROUPE_INSPECT(get_effective_spec, x.target)

/// What there is of resources, and how much of it deployments hold.
struct get_resources {};
TROUPE_INSPECT(get_resources)

struct node_resources {
  std::string node = "local";
  resources total;
  resources used;
};
TROUPE_INSPECT(node_resources, x.node, x.total, x.used)

struct resource_report {
  std::vector<node_resources> nodes;
};
TROUPE_INSPECT(resource_report, x.nodes)

struct get_history {
  deployment_name target;
};
TROUPE_INSPECT(get_history, x.target)

struct revision_list {
  std::vector<revision_info> revisions; ///< Oldest first.
};
TROUPE_INSPECT(revision_list, x.revisions)

// -- room: how many replicas may exist (DeploymentState <-> controller) ----------------------------------------------

/// Replicas that ask for the same: two revisions may ask for different amounts, or for other nodes.
struct shape_claim {
  resources each;
  std::uint32_t want = 0;
  placement_options where{};
  friend bool operator==(const shape_claim&, const shape_claim&) = default;
};
TROUPE_INSPECT(shape_claim, x.each, x.want, x.where)

/// The totals that a deployment wants, what it has included: each shape once, the most urgent first. A lower want than
/// before gives the rest back at once, a shape that is left out all of it. `seq` counts a deployment's claims; an older
/// one than the last seen is ignored.
struct claim_room {
  deployment_name from;
  std::uint64_t seq = 0;
  std::vector<shape_claim> shapes;
  std::uint32_t reserve = 0; ///< What is given back is kept for so many of the first shape, as far as these lack room.
};
TROUPE_INSPECT(claim_room, x.from, x.seq, x.shapes, x.reserve)

/// Why a claim is not granted whole.
struct room_shortage {
  std::string resource;    ///< "num_cpus", "memory" ...; "max_replicas"; empty = there is none.
  std::uint64_t asked = 0; ///< By one replica. All three in the resource's unit.
  std::uint64_t free = 0;  ///< For this deployment: what others wait for longer is not.
  std::uint64_t total = 0; ///< Of the machine, or the node that has most. Less than `asked`: it can never fit.
  bool by_labels = false;  ///< Only nodes with the required labels were looked at.
  bool is_never() const { return !resource.empty() && asked > total; }
  friend bool operator==(const room_shortage&, const room_shortage&) = default;
};
TROUPE_INSPECT(room_shortage, x.resource, x.asked, x.free, x.total, x.by_labels)

/// The totals granted in answer to claim `seq`, in its order, at most its wants; sent again when that changes.
struct room_granted {
  std::uint64_t seq = 0;
  std::uint64_t serial = 0; ///< Counts the answers to one claim, from 1: a lower one is out of date.
  std::vector<std::uint32_t> granted;
  resources spare; ///< Beyond that, what the next replica could have of: its deployment's own, and free.
  /// In a cluster: the name of the node that `spare` is on. Empty on one machine, and where no node is large enough.
  std::string spare_on;
  /// Of what is granted, by shape: what is on that node and held by no replica. Empty where all is 0.
  std::vector<std::uint32_t> idle_there;
  room_shortage lacks;
  std::string nodes; ///< In a cluster, while something lacks: how many nodes fit, and why the others don't.
  /// So many of its deployment's replicas have to leave that node for the bound per node alone; `never_helps` where
  /// that, and what they free, is not enough whoever of other shapes leaves.
  std::uint32_t must_leave = 0;
  static constexpr std::uint32_t never_helps = ~0U;
  friend bool operator==(const room_granted&, const room_granted&) = default;
};
TROUPE_INSPECT(room_granted, x.seq, x.serial, x.granted, x.spare, x.spare_on, x.idle_there, x.lacks, x.nodes,
               x.must_leave)

// -- seats: which node a replica gets (those who start replicas on nodes <-> controller) ------------------------------

/// What a replica is one of. Two of the same kind differ in nothing but their `user_config`: one that is there can take
/// the place of one that is to be started.
struct replica_kind {
  deployment_name of;
  resources each;            ///< That it asks for,
  placement_options where{}; ///< and on which nodes.
  std::uint64_t code = 0;    ///< Hash of its code, init_args and execution; 0 = there is no other one of its kind.
  friend bool operator==(const replica_kind&, const replica_kind&) = default;
};
TROUPE_INSPECT(replica_kind, x.of, x.each, x.where, x.code)

/// Replicas may be placed on this node, or stay where they are while no new ones come; the first word on a node brings
/// what it has. Sent again when it changes.
struct offer_node {
  std::uint64_t node = 0; ///< One membership of a node; never 0, never reused.
  std::string name;
  std::vector<std::string> label_keys; ///< As many as values, in their order.
  std::vector<std::string> label_values;
  resources total;
  bool open = true; ///< For new replicas.
  bool draining = false;
  /// It joins, with replicas that nobody owns: such as are wanted may be adopted there, nothing else is placed there
  /// until it is offered again. One element for each.
  std::vector<replica_kind> brings;
};
TROUPE_INSPECT(offer_node, x.node, x.name, x.label_keys, x.label_values, x.total, x.open, x.draining, x.brings)

/// Nodes that an earlier controller had are expected back: nothing is placed before they are, or are given up.
struct await_nodes {
  bool on = true;
};
TROUPE_INSPECT(await_nodes, x.on)

/// So many of what the node has brought are adopted, and no more are wanted.
struct adoption_over {
  std::uint64_t node = 0;
  std::uint32_t adopted = 0;
};
TROUPE_INSPECT(adoption_over, x.node, x.adopted)

/// The node is gone, and all that was on it.
struct lose_node {
  std::uint64_t node = 0;
};
TROUPE_INSPECT(lose_node, x.node)

/// A replica of this kind starts: it sits down on room that was granted. Answered by `seat_taken`, at
/// once or when there is room. `place` is never reused.
struct take_seat {
  std::uint64_t place = 0;
  replica_kind kind;
};
TROUPE_INSPECT(take_seat, x.place, x.kind)

/// The replica is gone, or does not wait any more.
struct leave_seat {
  std::uint64_t place = 0;
};
TROUPE_INSPECT(leave_seat, x.place)

struct seat_taken {
  std::uint64_t place = 0;
  std::uint64_t node = 0;
};
TROUPE_INSPECT(seat_taken, x.place, x.node)

// -- towards the routers of other processes; in order, from a DeploymentState by its controller

/// What all routers of a deployment have in common.
struct deployment_routed {
  deployment_name target;
  std::uint32_t max_ongoing = 5;
  std::int64_t max_queued = -1;
  bool idempotent = false;
  std::string refusal;                   ///< Why requests are refused; empty = they are not.
  std::vector<std::uint64_t> signatures; ///< That its code answers.
};
TROUPE_INSPECT(deployment_routed, x.target, x.max_ongoing, x.max_queued, x.idempotent, x.refusal, x.signatures)

/// A replica in another process takes requests from now on, or takes none any more.
struct replica_routed {
  deployment_name target;
  std::uint64_t replica = 0;
  std::uint64_t place = 0;
  std::uint64_t port = 0;
  bool open = true;
};
TROUPE_INSPECT(replica_routed, x.target, x.replica, x.place, x.port, x.open)

/// Nothing is left of the deployment.
struct deployment_unrouted {
  deployment_name target;
};
TROUPE_INSPECT(deployment_unrouted, x.target)

using seat_holder_actor =
    caf::typed_actor<takes<seat_taken>, takes<adoption_over>, takes<deployment_routed>, takes<replica_routed>,
                     takes<deployment_unrouted>, takes<restoration_finished>>;

/// Whom `seat_taken` goes to.
struct hold_seats {
  seat_holder_actor holder;
};
TROUPE_INSPECT(hold_seats, x.holder)

/// The node is to be empty: the deployment drains what it has there, at most `max_unavailable` at a time, and starts
/// others for it. Also sent where it need not be (`on` is false): when it is new, and when it opens or closes.
struct evacuate_node {
  std::string node;
  bool on = true;
  bool open = false; ///< New replicas may come there.
};
TROUPE_INSPECT(evacuate_node, x.node, x.on, x.open)

/// Where a replica is, by the name of its node. From the replica.
struct replica_placed {
  replica_ref replica;
  std::string node;
};
TROUPE_INSPECT(replica_placed, x.replica, x.node)

/// By which port requests reach a replica in another process. From the replica.
struct replica_reachable {
  replica_ref replica;
  std::uint64_t place = 0;
  std::uint64_t port = 0;
};
TROUPE_INSPECT(replica_reachable, x.replica, x.place, x.port)

// -- facts to a DeploymentState and from it --------------------------------------------------------------------------

/// The watchdog saw one handler of this replica run for longer than `stuck_after`.
struct replica_stuck {
  replica_ref replica;
  milliseconds running{0};
};
TROUPE_INSPECT(replica_stuck, x.replica, x.running)

/// Nothing is left of a deleted deployment. `deploys_seen` counts the deploys that it has had: a controller that has
/// sent more knows that another one is on its way, and keeps the actor.
struct deployment_removed {
  deployment_name target;
  std::uint64_t deploys_seen = 0;
};
TROUPE_INSPECT(deployment_removed, x.target, x.deploys_seen)

using controller_actor =
    caf::typed_actor<asks<deploy_deployment>::for_a<command_result>, asks<delete_deployment>::for_a<removed_deployment>,
                     asks<scale_deployment>::for_a<command_result>, asks<control_rollout>::for_a<command_result>,
                     asks<get_deployment>::for_a<deployment_status>, asks<get_applications>::for_a<application_list>,
                     asks<get_effective_spec>::for_a<deployment_spec>, asks<get_history>::for_a<revision_list>,
                     asks<get_resources>::for_a<resource_report>, takes<claim_room>, takes<deployment_removed>,
                     asks<restore_deployment>::for_a<command_result>, takes<restoration_finished>, takes<hold_seats>,
                     takes<offer_node>, takes<await_nodes>, takes<lose_node>, takes<take_seat>, takes<leave_seat>,
                     takes<deployment_routed>, takes<replica_routed>>;

using deployment_state_actor = replica_owner_actor::extend<
    asks<deploy_deployment>::for_a<command_result>, asks<delete_deployment>::for_a<removed_deployment>,
    asks<scale_deployment>::for_a<command_result>, asks<control_rollout>::for_a<command_result>,
    asks<get_deployment>::for_a<deployment_status>, asks<get_effective_spec>::for_a<deployment_spec>,
    asks<get_history>::for_a<revision_list>, takes<room_granted>, takes<replica_stuck>, takes<replica_placed>,
    takes<replica_reachable>, takes<evacuate_node>, asks<restore_deployment>::for_a<command_result>,
    takes<restoration_finished>>;

} // namespace troupe
