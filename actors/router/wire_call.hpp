// A call that came from another process, in the process that answers it.
#pragma once

#include <troupe/actors/router/call.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace troupe {

/// Takes the outcomes of calls that came over the wire. Thread-safe; outlives them.
class wire_receiver {
public:
  virtual ~wire_receiver() = default;
  virtual void answered(std::uint64_t id, std::string answer) noexcept = 0;
  virtual void failed(std::uint64_t id, const error& why) noexcept = 0;
  /// It has not begun, and will not.
  virtual void refused(std::uint64_t id) noexcept = 0;
  /// Its last word, on the thread that ends the call: the slot is free, the outcome told.
  virtual void gone(std::uint64_t id) noexcept = 0;
};

template <class Signature>
// NOLINTNEXTLINE(cppcoreguidelines-virtual-class-destructor): that of its base is virtual
class wire_call final : public typed_call<Signature> {
public:
  wire_call(request_of<Signature> request, wire_receiver& to, std::uint64_t id)
      : typed_call<Signature>(std::move(request)), to_(to), id_(id) {}
  ~wire_call() override { to_.gone(id_); }

  /// Null when the bytes are no such request.
  static call_ptr make(std::string_view request, wire_receiver& to, std::uint64_t id) {
    if (auto x = wire::read<request_of<Signature>>(request))
      return call_ptr{new wire_call{std::move(*x), to, id}, false};
    return {};
  }

private:
  void deliver() noexcept override {
    auto& outcome = this->outcome();
    if (!outcome.ok())
      return this->attempts() == 0 ? to_.refused(id_) : to_.failed(id_, outcome.why());
    if (auto bytes = wire::write(*outcome))
      to_.answered(id_, std::move(*bytes));
    else
      to_.failed(id_, {errc::signature_mismatch,
                       std::string{name_of<Signature>} + " cannot leave the process: give its answer an `inspect`"});
  }

  wire_receiver& to_;
  const std::uint64_t id_;
};

} // namespace troupe
