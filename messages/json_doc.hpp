// An immutable JSON document that is shared, not copied, between actors of one process.
#pragma once

#include <troupe/messages/caf_compat.hpp>

#include <nlohmann/json.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace troupe {

using json = nlohmann::json;

/// JSON value or nothing. Immutable and shareable between threads; copying costs a reference count.
/// Travels as text; text that does not parse, or nests deeper than `max_depth`, fails to load.
class json_doc {
public:
  static constexpr int max_depth = 64;

  json_doc() = default; ///< Holds null.
  explicit json_doc(json value) : value_(value.is_null() ? nullptr : std::make_shared<const json>(std::move(value))) {}

  /// The document; null when none was given.
  const json& get() const noexcept { return value_ ? *value_ : null_json(); }
  bool is_null() const noexcept { return value_ == nullptr; }
  /// As text; never throws for what it holds: bytes that are no UTF-8 become U+FFFD (`validate` refuses them).
  std::string dump() const { return get().dump(-1, ' ', false, json::error_handler_t::replace); }

  /// Parses `text` into `*this`; false (and unchanged) when it is not JSON or nests too deeply.
  bool parse(std::string_view text) noexcept;

  friend bool operator==(const json_doc& a, const json_doc& b) { return a.value_ == b.value_ || a.get() == b.get(); }

private:
  static const json& null_json() noexcept;
  std::shared_ptr<const json> value_;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, json_doc& x);

} // namespace troupe

#include <troupe/messages/json_doc_inspect.hpp>
