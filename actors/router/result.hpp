// A value or the reason why there is none.
#pragma once

#include <troupe/messages/error.hpp>

#include <stdexcept>
#include <utility>
#include <variant>

namespace troupe {

/// What `std::future`s of calls throw.
class request_failed : public std::runtime_error {
public:
  explicit request_failed(error why) : std::runtime_error(to_string(why)), why_(std::move(why)) {}
  const error& why() const noexcept { return why_; }
  errc code() const noexcept { return why_.code; }

private:
  error why_;
};

/// The outcome of one request. A value.
template <class T>
class result {
public:
  result(T value) : content_(std::in_place_index<0>, std::move(value)) {}
  result(error why) : content_(std::in_place_index<1>, std::move(why)) {}

  bool ok() const noexcept { return content_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }

  /// Precondition: ok(). Else throws `request_failed`.
  T& value() & { return ok() ? std::get<0>(content_) : throw request_failed(std::get<1>(content_)); }
  const T& value() const& { return ok() ? std::get<0>(content_) : throw request_failed(std::get<1>(content_)); }
  T&& value() && { return std::move(value()); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  /// Precondition: !ok().
  const troupe::error& why() const { return std::get<1>(content_); }
  errc code() const noexcept { return ok() ? errc::none : std::get<1>(content_).code; }

private:
  std::variant<T, troupe::error> content_;
};

} // namespace troupe
