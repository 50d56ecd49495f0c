// A sealed `runtime_env` becomes what a worker is started with: contents of secrets, folders of packages.
#pragma once

#include <troupe/actors/router/result.hpp>
#include <troupe/messages/json_doc.hpp>

namespace troupe::secrets {
class keeper;
}
namespace troupe::packages {
class package_store;
}

namespace troupe::worker {

inline constexpr const char* package_variable = "TROUPE_PACKAGE"; ///< The package's folder, unless it is set otherwise.

/// The resolved form (runtime_env.hpp). With a package: relative paths are in its folder, which is the working
/// directory unless another is given, and its `lib` and itself are searched for libraries after `library_path`.
/// `unavailable`: a secret or package that cannot be had. Reads the files of secrets; either may be null.
result<json> resolve_environment(const json& sealed, const secrets::keeper* secrets,
                                 const packages::package_store* packages);

} // namespace troupe::worker
