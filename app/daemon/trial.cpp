#include <troupe/app/daemon/trial.hpp>
#include <troupe/app/library/file.hpp>

namespace troupe::daemon {

json to_json(const trial& x) {
  return {{"what", x.what},
          {"open", x.open},
          {"since_ms", x.since_ms},
          {"before", x.before},
          {"quarantined", x.quarantined}};
}

trial trial_from_json(const json& x) {
  return {x.value("what", ""), x.value("open", false), x.value("since_ms", std::int64_t{0}),
          x.value("before", std::uint64_t{0}), x.value("quarantined", "")};
}

std::string identity_of(const std::string& code_name, const deployment_spec& spec) {
  return library::sha256(code_name + '\n' + spec.version + '\n' + spec.init_args.dump() + '\n' +
                         spec.user_config.dump());
}

bool trial_clock::look(const deployment_name& name, std::uint64_t revision, time_point now) {
  if (revision == 0) {
    whole_.erase(name);
    return false;
  }
  const auto [it, fresh] = whole_.try_emplace(name, entry{revision, now});
  if (!fresh && it->second.revision != revision)
    it->second = {revision, now};
  if (now - it->second.since < trial::length)
    return false;
  whole_.erase(it);
  return true;
}

} // namespace troupe::daemon
