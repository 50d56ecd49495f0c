// What the runtime throws.
#pragma once

#include <troupe/messages/error.hpp>
#include <troupe/messages/validation.hpp>

#include <stdexcept>
#include <utility>
#include <vector>

namespace troupe {

/// A command or question was refused or could not be answered; `why()` says what to do.
class command_failed : public std::runtime_error {
public:
  explicit command_failed(error why) : std::runtime_error(to_string(why)), why_(std::move(why)) {}
  const error& why() const noexcept { return why_; }
  errc code() const noexcept { return why_.code; }

private:
  error why_;
};

/// A deploy was refused. Nothing has changed.
class deploy_error : public command_failed {
public:
  deploy_error(error why, std::vector<field_error> fields)
      : command_failed(std::move(why)), fields_(std::move(fields)) {}
  /// Every bad field; empty where the fault is not in the spec.
  const std::vector<field_error>& fields() const noexcept { return fields_; }

private:
  std::vector<field_error> fields_;
};

} // namespace troupe
