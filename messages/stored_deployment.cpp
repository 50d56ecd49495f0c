// The JSON form of snapshots.
#include <troupe/messages/stored_deployment.hpp>
#include <troupe/messages/validation.hpp>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace troupe {

namespace {

/// Of the stored form; a newer one is not read.
constexpr int stored_format = 1;

/// The fields of a snapshot, listed once for both ways: `f(name, field)`.
template <class Release, class F>
void each_field(Release& x, F f) requires std::is_same_v<std::remove_const_t<Release>, stored_release> {
  f("revision", x.revision);
  f("code_id", x.code_id);
  f("config_id", x.config_id);
  f("code_revision", x.code_revision);
  f("config_revision", x.config_revision);
  f("cause", x.cause);
  f("spec", x.spec);
  f("code", x.user_code.name);
  f("code_fingerprint", x.user_code.fingerprint);
  f("can_reconfigure", x.can_reconfigure);
  f("can_check", x.can_check);
}

template <class Deployment, class F>
void each_field(Deployment& x, F f) requires std::is_same_v<std::remove_const_t<Deployment>, stored_deployment> {
  f("application", x.name.application);
  f("name", x.name.name);
  f("releases", x.releases);
  f("target", x.target);
  f("base", x.base);
  f("next_revision", x.next_revision);
  f("next_code", x.next_code);
  f("next_config", x.next_config);
  f("num_replicas", x.num_replicas);
  f("of_target", x.of_target);
  f("held", x.held);
  f("phase", x.phase);
  f("reason", x.reason);
  f("rolling_back", x.rolling_back);
  f("replace_stale", x.replace_stale);
  f("first_wave_up", x.first_wave_up);
  f("canary_done", x.canary_done);
  f("deleting", x.deleting);
  f("waves_done", x.waves_done);
  f("failure", x.failure);
}

struct writer {
  json& to;
  template <class T>
  void operator()(const char* name, const T& field) const {
    if constexpr (std::is_enum_v<T>)
      to[name] = static_cast<int>(field);
    else if constexpr (std::is_same_v<T, deployment_spec>)
      to[name] = troupe::to_json(field);
    else
      to[name] = field;
  }
  void operator()(const char* name, const std::vector<stored_release>& field) const {
    auto& list = to[name] = json::array();
    for (const auto& r : field)
      each_field(r, writer{list.emplace_back(json::object())});
  }
};

struct reader {
  const json& from;
  template <class T>
  void operator()(const char* name, T& field) const {
    if (const std::string_view new_one{name};
        (new_one == "code_fingerprint" || new_one == "held") && !from.contains(name))
      return; // of a snapshot from before there was one
    const auto& value = from.at(name);
    if constexpr (std::is_enum_v<T>) {
      const auto number = value.template get<int>();
      if (number < 0 || number > static_cast<int>(last_enumerator(T{})))
        throw std::runtime_error(std::string(name) + ": unknown state " + std::to_string(number));
      field = static_cast<T>(number);
    } else if constexpr (std::is_same_v<T, deployment_spec>) {
      // A revision that a rollback or restart made has the count of that moment: it may be 0, and smaller than rules
      // across options (the canary's) allow for a deploy.
      auto deployed = value;
      const auto count = value.at("num_replicas").template get<std::uint32_t>();
      deployed["num_replicas"] = std::max(count, 1U);
      auto read = read_spec(deployed, {}, {.is_whole = false});
      if (!read.errors.empty())
        throw std::runtime_error(to_string(read.errors));
      field = std::move(read.spec);
      field.num_replicas = count;
    } else {
      value.get_to(field);
    }
  }
  void operator()(const char* name, std::vector<stored_release>& field) const {
    for (const auto& value : from.at(name))
      each_field(field.emplace_back(), reader{value});
  }
};

} // namespace

const stored_release* stored_deployment::find(std::uint64_t revision) const {
  const auto it = std::find_if(releases.begin(), releases.end(), [&](const auto& r) { return r.revision == revision; });
  return it == releases.end() ? nullptr : &*it;
}

stored_release* stored_deployment::find(std::uint64_t revision) {
  return const_cast<stored_release*>(std::as_const(*this).find(revision)); // NOLINT(*-const-cast): of this object
}

json to_json(const stored_deployment& x) {
  json out{{"format", stored_format}};
  each_field(x, writer{out});
  return out;
}

stored_deployment stored_deployment_from_json(const json& x) {
  try {
    if (const auto format = x.at("format").get<int>(); format != stored_format)
      throw std::runtime_error("format " + std::to_string(format) + " is not known");
    stored_deployment d;
    each_field(d, reader{x});
    if (!d.find(d.target) || (d.base != 0 && !d.find(d.base)))
      throw std::runtime_error("the target or the base is not among the revisions");
    return d;
  } catch (const json::exception& e) {
    throw std::runtime_error(e.what());
  }
}

} // namespace troupe
