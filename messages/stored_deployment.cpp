// The JSON form of snapshots.
#include <troupe/messages/stored_deployment.hpp>
#include <troupe/messages/validation.hpp>

#include <stdexcept>
#include <string>

namespace troupe {

namespace {

/// Of the stored form; a newer one is not read.
constexpr int stored_format = 1;

json to_json(const stored_release& x) {
  return {{"revision", x.revision},
          {"code_id", x.code_id},
          {"config_id", x.config_id},
          {"code_revision", x.code_revision},
          {"config_revision", x.config_revision},
          {"cause", x.cause},
          {"spec", troupe::to_json(x.spec)},
          {"code", x.user_code.name},
          {"can_reconfigure", x.can_reconfigure},
          {"can_check", x.can_check}};
}

stored_release release_from_json(const json& x) {
  stored_release r;
  x.at("revision").get_to(r.revision);
  x.at("code_id").get_to(r.code_id);
  x.at("config_id").get_to(r.config_id);
  x.at("code_revision").get_to(r.code_revision);
  x.at("config_revision").get_to(r.config_revision);
  x.at("cause").get_to(r.cause);
  auto read = read_spec(x.at("spec"));
  if (!read.errors.empty())
    throw std::runtime_error("revision " + std::to_string(r.revision) + ": " + to_string(read.errors));
  r.spec = std::move(read.spec);
  x.at("code").get_to(r.user_code.name);
  x.at("can_reconfigure").get_to(r.can_reconfigure);
  x.at("can_check").get_to(r.can_check);
  return r;
}

template <class Enum>
void read_enum(const json& x, Enum& to) {
  const auto value = x.get<int>();
  if (value < 0 || value > static_cast<int>(last_enumerator(Enum{})))
    throw std::runtime_error("unknown state " + std::to_string(value));
  to = static_cast<Enum>(value);
}

} // namespace

json to_json(const stored_deployment& x) {
  json releases = json::array();
  for (const auto& r : x.releases)
    releases.push_back(to_json(r));
  return {{"format", stored_format},
          {"application", x.name.application},
          {"name", x.name.name},
          {"releases", std::move(releases)},
          {"target", x.target},
          {"base", x.base},
          {"next_revision", x.next_revision},
          {"next_code", x.next_code},
          {"next_config", x.next_config},
          {"num_replicas", x.num_replicas},
          {"of_target", x.of_target},
          {"phase", static_cast<int>(x.phase)},
          {"reason", static_cast<int>(x.reason)},
          {"rolling_back", x.rolling_back},
          {"replace_stale", x.replace_stale},
          {"first_wave_up", x.first_wave_up},
          {"canary_done", x.canary_done},
          {"deleting", x.deleting},
          {"waves_done", x.waves_done},
          {"failure", x.failure}};
}

stored_deployment stored_deployment_from_json(const json& x) {
  try {
    if (const auto format = x.at("format").get<int>(); format != stored_format)
      throw std::runtime_error("format " + std::to_string(format) + " is not known");
    stored_deployment d;
    x.at("application").get_to(d.name.application);
    x.at("name").get_to(d.name.name);
    for (const auto& r : x.at("releases"))
      d.releases.push_back(release_from_json(r));
    x.at("target").get_to(d.target);
    x.at("base").get_to(d.base);
    x.at("next_revision").get_to(d.next_revision);
    x.at("next_code").get_to(d.next_code);
    x.at("next_config").get_to(d.next_config);
    x.at("num_replicas").get_to(d.num_replicas);
    x.at("of_target").get_to(d.of_target);
    read_enum(x.at("phase"), d.phase);
    read_enum(x.at("reason"), d.reason);
    x.at("rolling_back").get_to(d.rolling_back);
    x.at("replace_stale").get_to(d.replace_stale);
    x.at("first_wave_up").get_to(d.first_wave_up);
    x.at("canary_done").get_to(d.canary_done);
    x.at("deleting").get_to(d.deleting);
    x.at("waves_done").get_to(d.waves_done);
    x.at("failure").get_to(d.failure);
    const auto kept = [&](std::uint64_t revision) {
      for (const auto& r : d.releases)
        if (r.revision == revision)
          return true;
      return false;
    };
    if (!kept(d.target) || (d.base != 0 && !kept(d.base)))
      throw std::runtime_error("the target or the base is not among the revisions");
    return d;
  } catch (const json::exception& e) {
    throw std::runtime_error(e.what());
  }
}

} // namespace troupe
