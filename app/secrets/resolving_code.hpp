// User code that gets the contents of secrets where its config refers to them.
#pragma once

#include <troupe/actors/replica/code.hpp>
#include <troupe/app/secrets/secrets.hpp>

#include <memory>

namespace troupe::secrets {

/// `inner`, whose `reconfigure` gets what the secrets hold at that moment; a secret that cannot be had is an exception
/// there, as one of the code. What the code throws is masked. The same as `inner` where it has no `reconfigure`.
std::shared_ptr<const code> resolving(std::shared_ptr<const code> inner, std::shared_ptr<const keeper> from);

} // namespace troupe::secrets
