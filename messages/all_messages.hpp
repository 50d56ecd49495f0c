// The list of everything that travels, and each type's wire name. For registry.cpp and tests; costly to instantiate.
#pragma once

#include <troupe/messages/caf_compat.hpp>
#include <troupe/messages/code_ref.hpp>
#include <troupe/messages/control.hpp>
#include <troupe/messages/deployment_spec.hpp>
#include <troupe/messages/http.hpp>
#include <troupe/messages/json_doc.hpp>
#include <troupe/messages/node.hpp>
#include <troupe/messages/placement_options.hpp>
#include <troupe/messages/replica.hpp>
#include <troupe/messages/request.hpp>
#include <troupe/messages/routes.hpp>
#include <troupe/messages/status.hpp>
#include <troupe/messages/stored_deployment.hpp>
#include <troupe/messages/worker.hpp>

#include <string>

namespace troupe::wire {

template <class... Ts>
struct type_list {};

/// Every type of messages/ that has an `inspect`; a test compares this list with the headers.
using all_messages =
    type_list<json_doc, code_ref, resource_amount, resources, label_rule, placement_options, replica_share,
              rolling_update, deployment_spec, request_tags, wire_context, header_field, request, response, replica_ref,
              config_update, check_replica, stop_replica, replica_started, replica_reconfigured, replica_checked,
              replica_stopped, deployment_name, deploy_deployment, delete_deployment, scale_deployment, control_rollout,
              command_result, removed_deployment, get_deployment, get_applications, application_list,
              get_effective_spec, get_history, get_resources, node_resources, resource_report, revision_list,
              shape_claim, claim_room, room_shortage, room_granted, replica_stuck, deployment_removed, replica_status,
              rollout_status, deployment_status, revision_info, application_status, restore_deployment,
              restoration_finished, worker_call, worker_calls, worker_answer, worker_answers, worker_replica_made,
              start_worker_replica, drop_worker_replica, end_worker, worker_hello, abandon_worker_replica,
              replica_placed, offer_node, lose_node, take_seat, leave_seat, seat_taken, hold_seats, evacuate_node,
              node_challenge, node_proof, node_refused, node_welcome, code_file, load_code, unload_code, code_loaded,
              code_chunk, code_missing, node_released, ask_code_chunk, node_knock, node_label, node_join, node_settled,
              node_word, node_leaving, replica_kind, await_nodes, adoption_over, worker_orphans, orphan_adopted,
              orphan_replicas, drop_orphans, node_settle, node_brings, calls_refused, close_intake, port_has_room,
              open_port, room_not_needed, deployment_routed, replica_routed, deployment_unrouted, replica_reachable,
              peer_address, replica_route, replica_set, replica_sets, watch_deployments, node_route, node_routes,
              port_found, peer_here, peer_knock, find_port>;

/// An inspector that only takes the name.
struct name_inspector {
  using result_type = std::string;
  template <class... Fields>
  std::string operator()(const caf::meta::type_name_t& name, Fields&&...) const {
    return name.value;
  }
};

/// The name under which `T` travels: the one that its `inspect` says, so that there is one place for it.
template <class T>
std::string name_of() {
  T value{};
  name_inspector f;
  return inspect(f, value);
}

} // namespace troupe::wire
