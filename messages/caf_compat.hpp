// All spelling that depends on the CAF release (0.17.6) sits here, so that a move to CAF 1.x is one place.
#pragma once

#include <caf/error.hpp>
#include <caf/fwd.hpp>
#include <caf/meta/load_callback.hpp>
#include <caf/meta/type_name.hpp>
#include <caf/replies_to.hpp>
#include <caf/sec.hpp>
#include <caf/typed_actor.hpp>

/// Declares how `TYPE` travels: `TROUPE_INSPECT(get_status, x.name)` inside namespace troupe.
/// The printed name is the wire name: qualified, stable, never reused for another shape. A value whose enums are out of
/// range fails to load (CAF itself takes any number for an enum).
#define TROUPE_INSPECT(TYPE, ...)                                                                                      \
  template <class Inspector>                                                                                           \
  typename Inspector::result_type inspect(Inspector& f, [[maybe_unused]] TYPE& x) {                                    \
    return f(::caf::meta::type_name("troupe::" #TYPE) __VA_OPT__(, ) __VA_ARGS__,                                      \
             ::caf::meta::load_callback([&]() -> ::caf::error { return ::troupe::wire::check(__VA_ARGS__); }));        \
  }

namespace troupe::wire {

/// Whether `x` is an enumerator, where `x` is of an enum that travels (those have a `last_enumerator` next to them and
/// are numbered from 0 without gaps); true for all else.
template <class T>
constexpr bool is_known(const T& x) {
  if constexpr (requires { last_enumerator(x); })
    return x <= last_enumerator(x);
  else
    return true;
}

/// `caf::sec::invalid_argument` where a field that was just loaded is an enum out of range.
template <class... Fields>
caf::error check(const Fields&... fields) {
  if ((is_known(fields) && ...))
    return caf::none;
  return caf::sec::invalid_argument;
}

} // namespace troupe::wire

namespace troupe {

/// A command or fact that nobody answers.
template <class Message>
using takes = caf::reacts_to<Message>;

/// `asks<question>::for_a<answer>`: a message that is answered with one value (or an error).
template <class Message>
struct asks {
  template <class Answer>
  using for_a = typename caf::replies_to<Message>::template with<Answer>;
};

} // namespace troupe
