#include <troupe/app/worker/offer.hpp>
#include <troupe/messages/validation.hpp>

#include <utility>
#include <vector>

namespace troupe::worker {

json to_json(const library::application_code& x) {
  json deployments = json::array();
  for (const auto& d : x.deployments) {
    const auto& traits = d.user_code->traits();
    json signatures = json::array();
    for (const auto& s : traits.signatures)
      signatures.push_back({s.key, s.name});
    deployments.push_back({{"defaults", to_json(d.defaults)},
                           {"class", traits.name},
                           {"signatures", std::move(signatures)},
                           {"takes_init_args", traits.takes_init_args},
                           {"has_reconfigure", traits.has_reconfigure},
                           {"has_check_health", traits.has_check_health},
                           {"is_ingress", d.is_ingress}});
  }
  return {{"digest", x.digest}, {"import_path", x.import_path}, {"deployments", std::move(deployments)}};
}

result<library::application_code> offer_from(
    const json& x,
    const std::function<std::shared_ptr<const code>(const std::string& deployment, code_traits traits)>& code_of) {
  library::application_code out{x.at("digest"), x.at("import_path"), 0, {}};
  std::vector<field_error> wrong;
  for (const auto& d : x.at("deployments")) {
    code_traits traits{d.at("class"), {}, d.at("takes_init_args"), d.at("has_reconfigure"), d.at("has_check_health")};
    for (const auto& s : d.at("signatures"))
      traits.signatures.push_back({s.at(0), s.at(1)});
    auto defaults = read_spec(d.at("defaults"), {}, {.is_whole = false, .refuse_unknown = false});
    auto name = defaults.spec.name;
    for (auto& e : defaults.errors) {
      e.path = name + " (as the code declares it)." + e.path;
      wrong.push_back(std::move(e));
    }
    out.deployments.push_back({std::move(defaults.spec), code_of(name, std::move(traits)), d.at("is_ingress")});
  }
  if (!wrong.empty())
    return error{errc::invalid_spec, to_string(wrong)};
  return out;
}

} // namespace troupe::worker
