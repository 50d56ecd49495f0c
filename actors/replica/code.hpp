// The seam between the runtime and user code: `code` makes `instance`s, an instance answers requests.
#pragma once

#include <troupe/actors/router/wire_call.hpp>
#include <troupe/messages/json_doc.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

struct handler_frame; // actors/replica/frame.hpp

/// One call operator.
struct signature_info {
  signature_key key{}; ///< As in `call_base::key`.
  std::string name;    ///< For people: "pong(ping)".
  friend bool operator==(const signature_info&, const signature_info&) = default;
};

/// What is known of a class of user code without running it.
struct code_traits {
  std::string name;                       ///< The class, as people read it.
  std::vector<signature_info> signatures; ///< In the order of the class's list.
  bool takes_init_args = false;           ///< The constructor takes `const json&`; else init_args must be null.
  bool has_reconfigure = false;           ///< Without it a `user_config` is an error at deploy time.
  bool has_check_health = false;          ///< Without it no check messages are sent.

  bool answers(signature_key key) const noexcept {
    for (const auto& s : signatures)
      if (s.key == key)
        return true;
    return false;
  }
};

/// One user object. Confined to its replica; each function may throw anything, the caller catches.
class instance {
public:
  virtual ~instance() noexcept(false) = default;

  /// Runs the call operator of `call`'s signature and ends the attempt, or leaves that to a promise (`frame` tells).
  /// When it throws, the attempt has not been ended unless by a promise. A call of another signature is refused.
  virtual void handle(call_base& call, attempt_number attempt, handler_frame& frame) = 0;

  virtual void reconfigure(const json& user_config) = 0; ///< Only where `has_reconfigure`.
  virtual void check_health() = 0;                       ///< Only where `has_check_health`; throws when unhealthy.
};

/// A version of user code. Immutable, thread-safe; outlives its instances.
class code {
public:
  virtual ~code() = default;
  virtual const code_traits& traits() const noexcept = 0;
  /// Throws what the user's constructor or factory throws. Called on the replica's own thread, many at a time.
  virtual std::unique_ptr<instance> construct(const json& init_args) const = 0;
  /// In a worker process: the call of signature `key` whose request are these bytes. Null: no such signature, or the
  /// bytes are none. Its outcome goes to `to`.
  virtual call_ptr read_call(signature_key key, std::string_view request, wire_receiver& to, std::uint64_t id) const;
};

inline call_ptr code::read_call(signature_key, std::string_view, wire_receiver&, std::uint64_t) const { return {}; }

} // namespace troupe
