// Names the user code of a deployment; in its own process also holds it.
#pragma once

#include <troupe/messages/caf_compat.hpp>

#include <memory>
#include <string>

namespace troupe {

class code; // actors/replica/code.hpp

/// Refers to code by name. `local` keeps the code alive in the process that has it and never travels; a copy that came
/// over the network has none until that process finds the code itself.
struct code_ref {
  std::string name; ///< For people and for other nodes: the class, later the library's digest and symbol.
  std::shared_ptr<const code> local;
  /// Of what makes up the code beside the deployment's spec (import_path, args, ...): two releases with one version but
  /// different fingerprints run different code. Empty = not known; the version alone speaks.
  std::string fingerprint{};
  friend bool operator==(const code_ref&, const code_ref&) = default;
};
TROUPE_INSPECT(code_ref, x.name, x.fingerprint)

} // namespace troupe
