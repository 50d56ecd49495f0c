// What the spec asks of the code.
#include <troupe/actors/controller/admission.hpp>
#include <troupe/actors/replica/workers.hpp>

#include <algorithm>

namespace troupe::controller {

namespace {

constexpr std::size_t longest_value = 100;

std::string shown(const json_doc& value) {
  auto text = value.dump();
  if (text.size() > longest_value) {
    auto end = longest_value - 3;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U)
      --end; // not within a UTF-8 sequence
    text = text.substr(0, end) + "...";
  }
  return text;
}

} // namespace

std::vector<field_error> problems_of(const deploy_deployment& wish) {
  auto problems = validate(wish.spec);
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
    problems.push_back({"user_config", shown(wish.spec.user_config),
                        "null, because " + traits.name + " has no `void reconfigure(const troupe::json&)`"});
  if (!wish.spec.init_args.is_null() && !traits.takes_init_args)
    problems.push_back({"init_args", shown(wish.spec.init_args),
                        "null, because " + traits.name + " has no constructor that takes `const troupe::json&`"});
  return problems;
}

} // namespace troupe::controller
