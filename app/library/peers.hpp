// How deployments of a shared library find each other: `peers`, handed to what the library builds.
#pragma once

#include <troupe/actors/replica/code.hpp>
#include <troupe/app/handle/handle.hpp>
#include <troupe/app/handle/handle_type.hpp>

#include <memory>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {

class router;

/// Implemented by the host. Thread-safe; outlives the code that was given it, and throws once its runtime is gone.
class peer_lookup {
public:
  virtual ~peer_lookup() = default;
  /// The router of a deployment of the same application, or of `application/name`. Throws `command_failed` with
  /// `unknown_deployment` or `signature_mismatch`.
  virtual std::shared_ptr<router> find(std::string_view name, const std::vector<signature_info>& wanted) const = 0;
};

/// Gives handles to other deployments, for composition: copy it into the factory or the object that needs one. A value,
/// cheap to copy, thread-safe.
class peers {
public:
  peers() = default; ///< Knows nobody.
  explicit peers(std::shared_ptr<const peer_lookup> lookup) : lookup_(std::move(lookup)) {}

  /// `handle<pong(ping)>("rank")`: a deployment of the same application; `"application/rank"`: of another. Ask in a
  /// constructor, a factory or later, not while the library is being loaded: a deployment can be found once it is
  /// deployed, and that happens in the order in which the library declares them. Throws `command_failed`
  /// (`unknown_deployment`, `signature_mismatch`); thrown out of a constructor, that is a failed start, tried again.
  template <class... Ts>
  typename detail::handle_type<Ts...>::type handle(std::string_view name) const {
    using type = detail::handle_type<Ts...>;
    if (!lookup_)
      throw std::logic_error("there are no other deployments to find: these peers are empty");
    return typename type::type{lookup_->find(name, type::wanted())};
  }

private:
  std::shared_ptr<const peer_lookup> lookup_;
};

} // namespace troupe
