// What a library declares, as a worker tells it to the daemon, which does not load it.
#pragma once

#include <troupe/actors/router/result.hpp>
#include <troupe/app/library/loader.hpp>
#include <troupe/messages/json_doc.hpp>

#include <functional>
#include <memory>

namespace troupe::worker {

json to_json(const library::application_code& x);

/// `code_of` makes the code of a deployment from its name and traits. Throws json::exception for what is no offer.
/// `invalid_spec` with every bad option that the code declares: what cannot be read is not there to be checked later.
result<library::application_code> offer_from(
    const json& x,
    const std::function<std::shared_ptr<const code>(const std::string& deployment, code_traits traits)>& code_of);

} // namespace troupe::worker
