// The schemas and parameters of the OpenAPI document: answers by hand, configs from the config file's schema.
#include <troupe/app/api/endpoints.hpp>
#include <troupe/app/config/json_schema.hpp>

namespace troupe::api {

namespace {

constexpr std::string_view parameters = R"({
"prune": {"name": "prune", "in": "query", "schema": {"type": "boolean", "default": false},
  "description": "Also remove the applications that the config does not have."},
"force": {"name": "force", "in": "query", "schema": {"type": "boolean", "default": false},
  "description": "Also a node that is alive and not empty: its replicas are void, and started elsewhere."},
"replicas": {"name": "replicas", "in": "query", "schema": {"type": "boolean", "default": false},
  "description": "List every replica."},
"if_match": {"name": "If-Match", "in": "header", "schema": {"type": "string"},
  "description": "A revision of the application: 412 when it has another one by now."},
"after": {"name": "after", "in": "query", "schema": {"type": "integer", "minimum": 0},
  "description": "Begin behind the event with this id; 0 = all that are kept. Default: what comes from now on."},
"last_event_id": {"name": "Last-Event-ID", "in": "header", "schema": {"type": "string"},
  "description": "As `after`; browsers send it when they connect again."},
"replica": {"name": "replica", "in": "query", "schema": {"type": "string"},
  "description": "Of this one only; workers with several replicas have one log each, `worker-<number>`."},
"since": {"name": "since", "in": "query", "schema": {"type": "string"},
  "description": "From then on: a time ago (30s, 10m, 2h, 1d) or as RFC 3339 writes it."},
"tail": {"name": "tail", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 100000, "default": 1000},
  "description": "At most so many lines, the newest ones, and at most 8 MiB of them."},
"api_type": {"name": "api_type", "in": "query", "schema": {"enum": ["declarative", "imperative"]},
  "description": "Of applications; all of ours are declarative."}
})";

// Answers. `required` is what is always there.
constexpr std::string_view answers = R"({
"error": {"type": "object", "required": ["error"], "properties": {
  "error": {"type": "object", "required": ["code", "message", "fields"], "properties": {
    "code": {"type": "string"}, "message": {"type": "string"},
    "fields": {"type": "array", "items": {"type": "object", "required": ["path", "value", "allowed"], "properties": {
      "path": {"type": "string"}, "value": {"type": "string"}, "allowed": {"type": "string"}}}}}},
  "applications": {"type": "object", "description": "Of a config that was broken off: what became of each application.",
    "additionalProperties": {"$ref": "#/components/schemas/accepted_application"}},
  "removed": {"type": "array", "items": {"type": "string"}},
  "warnings": {"$ref": "#/components/schemas/warnings"}}},
"warnings": {"type": "array", "items": {"type": "string"}},
"message": {"type": "object", "required": ["message"], "properties": {"message": {"type": "string"}}},
"openapi": {"type": "object", "required": ["openapi", "info", "paths"]},
"version": {"type": "object", "required": ["version", "caf", "abi"], "properties": {
  "version": {"type": "string"}, "caf": {"type": "string"},
  "abi": {"type": "string", "description": "What libraries with user code must be built for."}}},
"applications": {"type": "object", "required": ["applications", "code", "given_up", "proxy_location"],
  "properties": {
  "applications": {"type": "array", "items": {"$ref": "#/components/schemas/application"}},
  "code": {"$ref": "#/components/schemas/code"},
  "given_up": {"type": "integer", "description": "Replicas that are replaced and whose code still runs."},
  "proxy_location": {"$ref": "#/components/schemas/proxy_location"}}},
"proxy_location": {"enum": ["EveryNode", "HeadOnly"], "description": "Which processes of a cluster take HTTP."},
"code": {"type": "object", "required": ["copies", "max_copies", "bytes", "max_bytes", "each"], "properties": {
  "copies": {"type": "integer"}, "max_copies": {"type": "integer"},
  "bytes": {"type": "integer"}, "max_bytes": {"type": "integer"},
  "each": {"type": "array", "items": {"type": "object",
    "required": ["number", "digest", "soname", "import_path", "application", "bytes"], "properties": {
    "number": {"type": "integer"}, "digest": {"type": "string"}, "soname": {"type": "string"},
    "import_path": {"type": "string"}, "application": {"type": "string"}, "bytes": {"type": "integer"}}}}}},
"application": {"type": "object",
  "required": ["name", "state", "message", "route_prefix", "import_path", "digest", "revision", "deployments"],
  "properties": {
  "name": {"type": "string"},
  "state": {"enum": ["NOT_STARTED", "DEPLOYING", "DEPLOY_FAILED", "RUNNING", "UNHEALTHY", "DELETING"]},
  "message": {"type": "string"}, "route_prefix": {"type": ["string", "null"]}, "import_path": {"type": "string"},
  "digest": {"type": "string", "description": "SHA-256 of the library that was deployed last."},
  "revision": {"type": "integer", "description": "For If-Match."},
  "deployments": {"type": "array", "items": {"$ref": "#/components/schemas/deployment"}}}},
"deployment": {"type": "object",
  "required": ["application", "name", "state", "deleting", "message", "num_replicas", "available", "starting",
    "reconfiguring", "stopping", "given_up", "waiting_for_room", "queued", "ongoing", "overdue", "rollout", "replicas"],
  "properties": {
  "application": {"type": "string"}, "name": {"type": "string"},
  "state": {"enum": ["UPDATING", "HEALTHY", "UNHEALTHY", "UPSCALING", "DOWNSCALING", "DEPLOY_FAILED", "ROLLING_BACK",
    "PAUSED"]},
  "deleting": {"type": "boolean"}, "message": {"type": "string"}, "num_replicas": {"type": "integer"},
  "available": {"type": "integer"}, "starting": {"type": "integer"}, "reconfiguring": {"type": "integer"},
  "stopping": {"type": "integer"}, "given_up": {"type": "integer"}, "waiting_for_room": {"type": "integer"},
  "queued": {"type": "integer"}, "ongoing": {"type": "integer"},
  "overdue": {"type": "integer", "description": "Handlers that still run though the caller has its outcome."},
  "rollout": {"$ref": "#/components/schemas/rollout"},
  "replicas": {"type": "array", "items": {"$ref": "#/components/schemas/replica"}}}},
"rollout": {"type": "object",
  "required": ["phase", "rolling_back", "target_revision", "base_revision", "wave", "waves", "done", "in_flight", "reason",
    "message"],
  "properties": {
  "phase": {"enum": ["complete", "rolling", "baking", "paused", "failed"]}, "rolling_back": {"type": "boolean"},
  "target_revision": {"type": "integer"}, "base_revision": {"type": "integer"}, "wave": {"type": "integer"},
  "waves": {"type": "integer"}, "done": {"type": "integer"}, "in_flight": {"type": "integer"},
  "reason": {"type": "string"}, "message": {"type": "string"}}},
"replica": {"type": "object",
  "required": ["id", "version", "revision", "config_revision", "state", "available", "given_up", "node", "since_s",
    "restarts", "ongoing"],
  "properties": {
  "id": {"type": "integer"}, "version": {"type": "string"}, "revision": {"type": "integer"},
  "config_revision": {"type": "integer"},
  "state": {"enum": ["STARTING", "UPDATING", "RECOVERING", "RUNNING", "STOPPING", "STOPPED", "PENDING_MIGRATION"]},
  "available": {"type": "boolean"}, "given_up": {"type": "boolean"}, "node": {"type": "string"},
  "since_s": {"type": "number"}, "restarts": {"type": "integer"}, "ongoing": {"type": "integer"}}},
"command_result": {"type": "object", "required": ["change", "revision", "message"], "properties": {
  "change": {"enum": ["none", "created", "light", "scaled", "reconfigured", "replaced"]},
  "revision": {"type": "integer", "description": "Of the deployment's target after the command."},
  "message": {"type": "string"}, "warnings": {"$ref": "#/components/schemas/warnings"}}},
"accepted_application": {"type": "object", "required": ["application", "revision", "deployments", "warnings"],
  "properties": {
  "application": {"type": "string"},
  "revision": {"type": "integer", "description": "Of the application: for If-Match."},
  "deployments": {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/command_result"}},
  "warnings": {"$ref": "#/components/schemas/warnings"},
  "error": {"type": "object", "description": "Why its change was broken off.", "properties": {
    "code": {"type": "string"}, "message": {"type": "string"}}}}},
"accepted_config": {"type": "object", "required": ["applications", "removed", "warnings"], "properties": {
  "applications": {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/accepted_application"}},
  "removed": {"type": "array", "items": {"type": "string"}},
  "warnings": {"$ref": "#/components/schemas/warnings"}}},
"removed_application": {"type": "object", "required": ["application", "removed"], "properties": {
  "application": {"type": "string"}, "removed": {"type": "boolean"}}},
"plan": {"type": "object", "required": ["changes", "proxy_location", "revision", "warnings"], "properties": {
  "proxy_location": {"type": "object", "required": ["from", "to"], "properties": {
    "from": {"$ref": "#/components/schemas/proxy_location"}, "to": {"$ref": "#/components/schemas/proxy_location"}}},
  "changes": {"type": "array", "items": {"type": "object",
    "required": ["application", "deployment", "change", "fields", "text"], "properties": {
    "application": {"type": "string"}, "deployment": {"type": "string"},
    "change": {"enum": ["none", "created", "light", "scaled", "reconfigured", "replaced", "removed"]},
    "fields": {"type": "array", "items": {"type": "object", "required": ["path", "from", "to", "class"], "properties": {
      "path": {"type": "string"}, "from": {}, "to": {}, "class": {"enum": ["code", "config", "count", "light"]}}}},
    "text": {"type": "string"}}}},
  "revision": {"type": "object", "description": "Of each application, for If-Match.",
    "additionalProperties": {"type": "integer"}},
  "warnings": {"$ref": "#/components/schemas/warnings"}}},
"application_config": {"type": "object", "required": ["given", "effective", "revision"], "properties": {
  "given": {"type": "object"}, "revision": {"type": "integer"},
  "effective": {"type": "object", "description": "By deployment: every option.",
    "additionalProperties": {"type": "object"}}}},
"history": {"type": "object", "required": ["revisions"], "properties": {
  "revisions": {"type": "array", "items": {"type": "object",
    "required": ["number", "cause", "version", "is_target", "is_base", "spec"], "properties": {
    "number": {"type": "integer"}, "cause": {"type": "string"}, "version": {"type": "string"},
    "is_target": {"type": "boolean"}, "is_base": {"type": "boolean"}, "spec": {"type": "object"}}}}}},
"resources": {"type": "object", "required": ["nodes"], "properties": {
  "nodes": {"type": "array", "items": {"type": "object", "required": ["node", "total", "used"], "properties": {
    "node": {"type": "string"}, "total": {"$ref": "#/components/schemas/amounts"},
    "used": {"$ref": "#/components/schemas/amounts"}}}}}},
"nodes": {"type": "object", "required": ["nodes"], "properties": {
  "nodes": {"type": "array", "items": {"$ref": "#/components/schemas/node"}}}},
"node": {"type": "object",
  "required": ["name", "state", "host", "release", "labels", "resources", "replicas", "cordoned", "drained", "empty",
    "since_s", "silence_s", "message"],
  "properties": {
  "name": {"type": "string"}, "state": {"enum": ["JOINING", "READY", "SUSPECT", "LOST", "DRAINING", "GONE"]},
  "host": {"type": "string"}, "release": {"type": "string", "description": "Of its program."},
  "labels": {"type": "object", "additionalProperties": {"type": "string"}},
  "resources": {"type": "object", "required": ["total", "used"], "properties": {
    "total": {"$ref": "#/components/schemas/amounts"}, "used": {"$ref": "#/components/schemas/amounts"}}},
  "replicas": {"type": "integer"}, "cordoned": {"type": "boolean", "description": "Gets no new replicas."},
  "drained": {"type": "boolean", "description": "Is to be empty."},
  "empty": {"type": "boolean", "description": "It is drained and may be stopped."},
  "since_s": {"type": "number", "description": "How long it is in this state."},
  "silence_s": {"type": "number", "description": "Since its last word; of those alive."},
  "message": {"type": "string", "description": "Why it is suspect, lost or gone."}}},
"removed_node": {"type": "object", "required": ["node", "removed"], "properties": {
  "node": {"type": "string"}, "removed": {"type": "boolean"}}},
"amounts": {"type": "object", "required": ["num_cpus", "num_gpus", "memory", "resources"], "properties": {
  "num_cpus": {"type": "number"}, "num_gpus": {"type": "number"},
  "memory": {"type": "integer", "description": "Bytes."},
  "resources": {"type": "object", "additionalProperties": {"type": "number"}}}},
"ray_version": {"type": "object", "required": ["version", "ray_version", "ray_commit", "session_name"], "properties": {
  "version": {"type": "string"}, "ray_version": {"type": "string"}, "ray_commit": {"type": "string"},
  "session_name": {"type": "string"}}},
"ray_applications": {"type": "object", "required": ["controller_info", "proxies", "applications", "target_capacity"],
  "properties": {
  "controller_info": {"type": "object"},
  "proxy_location": {"$ref": "#/components/schemas/proxy_location"}, "http_options": {"type": "object"},
  "proxies": {"type": "object"}, "target_capacity": {"type": "null"},
  "applications": {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/ray_application"}}}},
"ray_application": {"type": "object",
  "required": ["name", "route_prefix", "docs_path", "status", "message", "last_deployed_time_s", "deployed_app_config",
    "source", "deployments", "external_scaler_enabled"],
  "properties": {
  "name": {"type": "string"}, "route_prefix": {"type": ["string", "null"]}, "docs_path": {"type": "null"},
  "status": {"enum": ["NOT_STARTED", "DEPLOYING", "DEPLOY_FAILED", "RUNNING", "UNHEALTHY", "DELETING"]},
  "message": {"type": "string"}, "last_deployed_time_s": {"type": "number"},
  "deployed_app_config": {"type": ["object", "null"]}, "source": {"enum": ["declarative"]},
  "deployments": {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/ray_deployment"}},
  "external_scaler_enabled": {"type": "boolean"}}},
"ray_deployment": {"type": "object",
  "required": ["name", "status", "status_trigger", "message", "deployment_config", "target_num_replicas",
    "required_resources", "replicas"],
  "properties": {
  "name": {"type": "string"},
  "status": {"enum": ["UPDATING", "HEALTHY", "UNHEALTHY", "UPSCALING", "DOWNSCALING", "DEPLOY_FAILED"]},
  "status_trigger": {"type": "string"}, "message": {"type": "string"}, "deployment_config": {"type": "object"},
  "target_num_replicas": {"type": "integer"}, "required_resources": {"type": "object"},
  "replicas": {"type": "array", "items": {"type": "object",
    "required": ["node_id", "actor_name", "replica_id", "state", "start_time_s"]}}}},
"ray_error": {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}},
"scale": {"type": "object", "required": ["num_replicas"], "properties": {
  "num_replicas": {"type": "integer", "minimum": 0, "maximum": 10000000}}},
"ray_scale": {"type": "object", "required": ["target_num_replicas"], "properties": {
  "target_num_replicas": {"type": "integer", "minimum": 0, "maximum": 10000000}}},
"rollout_command": {"type": "object", "required": ["action"], "properties": {
  "action": {"enum": ["pause", "resume", "promote", "abort", "restart", "rollback"]},
  "revision": {"type": "integer", "minimum": 0,
    "description": "For rollback: which one; 0 = the one before the target."}}}
})";

/// "#/$defs/x" becomes the component "config_x".
void rebase(json& schema) {
  constexpr std::string_view before = "#/$defs/";
  if (schema.is_object() && schema.contains("$ref") && schema["$ref"].is_string()) {
    const auto old = schema["$ref"].get<std::string>();
    if (old.starts_with(before))
      schema["$ref"] = "#/components/schemas/config_" + old.substr(before.size());
  }
  for (auto& part : schema)
    if (part.is_structured())
      rebase(part);
}

} // namespace

json openapi_schemas() {
  auto out = json::parse(answers);
  auto config = config::json_schema();
  for (auto& [name, schema] : config["$defs"].items()) {
    rebase(schema);
    out["config_" + name] = schema;
  }
  config.erase("$defs");
  config.erase("$schema");
  rebase(config);
  out["config"] = std::move(config);
  return out;
}

json openapi_parameters() { return json::parse(parameters); }

} // namespace troupe::api
