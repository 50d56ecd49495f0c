// What the fuzzer of config files does with one input; also run on the corpus by the tests.
#pragma once

#include <troupe/app/config/diff.hpp>
#include <troupe/app/config/document.hpp>
#include <troupe/app/config/targets.hpp>
#include <troupe/messages/validation.hpp>

#include <cstdlib>
#include <string>
#include <string_view>

namespace troupe::fuzz {

inline void require(bool holds) {
  if (!holds)
    std::abort();
}

/// Of a config that was found good.
inline void application(const config::application& app) {
  std::vector<deployment_spec> declared(1);
  declared[0].name = "other";
  for (const auto& d : app.deployments) {
    declared.emplace_back();
    declared.back().name = d.at("name").get<std::string>();
  }
  const auto targets = config::targets_for(app, declared, "0");
  if (!targets.ok())
    return;
  for (const auto& t : targets.targets) {
    require(!t.spec.version.empty() && validate(t.spec).empty());
    require(config::diff(t.spec, t.spec).empty());
    const auto changes = config::diff(declared[0], t.spec);
    require(!config::describe(&declared[0], t.spec, changes).empty());
  }
}

/// Aborts where something cannot be: a problem without a text, a place outside of it, a good config that has no JSON
/// form or is no longer the same after it.
inline void config_text(std::string_view text, config::syntax how) {
  const auto result = config::read_text(text, "input", how);
  for (const auto& p : result.errors)
    require(!p.allowed.empty() && p.line <= text.size() + 1 && !to_string(p).empty());
  if (!result.ok())
    return;
  const auto again = config::read_text(result.document.as_given.dump(), "again", config::syntax::json);
  require(again.ok() && again.document.as_given == result.document.as_given);
  for (const auto& app : result.document.applications)
    application(app);
}

inline void config_file(std::string_view text) {
  config_text(text, config::syntax::yaml);
  config_text(text, config::syntax::json);
}

} // namespace troupe::fuzz
