// What the spec asks of the code.
#include <troupe/actors/controller/admission.hpp>
#include <troupe/actors/replica/workers.hpp>

#include <algorithm>
#include <utility>

namespace troupe::controller {

namespace {

constexpr std::size_t longest_value = 100;

std::string shown(const json& value) {
  auto text = value.dump(-1, ' ', false, json::error_handler_t::replace);
  if (text.size() > longest_value) {
    auto end = longest_value - 3;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U)
      --end; // not within a UTF-8 sequence
    text = text.substr(0, end) + "...";
  }
  return text;
}

} // namespace

std::vector<field_error> placement_problems(const placement_options& where) {
  std::vector<field_error> problems;
  const auto refuse = [&](const char* path, const json& value, const std::string& allowed) {
    problems.push_back({path, shown(value),
                        allowed + ": there are no nodes; replicas run in this process (troupe serve --cluster-address, "
                                  "runtime_options::on_nodes)"});
  };
  if (!where.required.empty())
    refuse("ray_actor_options.label_selector", to_json(where.required), "{}");
  if (!where.preferred.empty())
    refuse("preferred_labels", to_json(where.preferred), "{}");
  if (where.max_replicas_per_node > 0)
    refuse("max_replicas_per_node", where.max_replicas_per_node, "0 (no bound)");
  return problems;
}

std::vector<field_error> problems_of(const deploy_deployment& wish, bool on_nodes) {
  auto problems = validate(wish.spec);
  if (!on_nodes)
    for (auto& p : placement_problems(wish.spec.where))
      problems.push_back(std::move(p));
  const auto& code = wish.user_code.local;
  if (!code) {
    problems.push_back({"code", json(wish.user_code.name).dump(-1, ' ', false, json::error_handler_t::replace),
                        "code that this process has"});
    return problems;
  }
  if (wish.spec.isolation == isolation_mode::process && !dynamic_cast<const replica::remote_code*>(code.get()))
    problems.push_back({"isolation", "\"process\"",
                        "\"none\": this code is part of the program; worker processes run code from libraries, in the "
                        "daemon"});
  const auto& traits = code->traits();
  if (!wish.spec.user_config.is_null() && !traits.has_reconfigure)
    problems.push_back({"user_config", shown(wish.spec.user_config.get()),
                        "null, because " + traits.name + " has no `void reconfigure(const troupe::json&)`"});
  if (!wish.spec.init_args.is_null() && !traits.takes_init_args)
    problems.push_back({"init_args", shown(wish.spec.init_args.get()),
                        "null, because " + traits.name + " has no constructor that takes `const troupe::json&`"});
  return problems;
}

} // namespace troupe::controller
