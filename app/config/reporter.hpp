// Private to app/config: collects problems and warnings with their places.
#pragma once

#include <troupe/app/config/keys.hpp>
#include <troupe/app/config/source.hpp>

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::config {

/// `path` followed by the member `key`.
std::string member(std::string_view path, std::string_view key);
/// `path` followed by the index `i`.
std::string element(std::string_view path, std::size_t i);

/// Confined to one reading; refers to `from`, which must outlive it.
class reporter {
public:
  /// `errors`: those that are known already.
  reporter(const source& from, std::vector<problem> errors) : from_(from), errors_(std::move(errors)) {}

  void error(std::string_view path, const json& value, std::string_view allowed);
  /// With the value as it is to be shown.
  void error_about(std::string_view path, std::string value, std::string_view allowed);
  void warn(std::string_view path, std::string_view sentence);

  /// Tells of each member of `object` that is refused or not known. `path` is the object's.
  void check_names(const json& object, std::string_view path, std::span<const key_rule> keys);

  /// In the order of the text, cut to `max_problems`.
  std::vector<problem> take_errors();
  std::vector<std::string> take_warnings();

private:
  const source& from_;
  std::vector<problem> errors_;
  std::vector<std::string> warnings_;
  std::size_t left_out_ = 0; // errors beyond the limit
  std::size_t ignored_ = 0;  // warnings beyond it
};

} // namespace troupe::config
