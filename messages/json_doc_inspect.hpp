// How a json_doc travels: as its text, checked when it is loaded.
#pragma once

#include <troupe/messages/json_doc.hpp>

#include <caf/error.hpp>
#include <caf/meta/load_callback.hpp>
#include <caf/sec.hpp>

namespace troupe {

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, json_doc& x) {
  std::string text = x.dump();
  auto load = [&]() -> caf::error {
    if (!x.parse(text))
      return caf::sec::invalid_argument;
    return caf::none;
  };
  return f(caf::meta::type_name("troupe::json_doc"), text, caf::meta::load_callback(load));
}

} // namespace troupe
