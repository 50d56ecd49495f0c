// Which deployment answers a path: the longest prefix that ends at a segment's border.
#pragma once

#include <troupe/messages/control.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace troupe {
class router;
}

namespace troupe::ingress {

/// Where the requests of one prefix go. A value.
struct route {
  std::string prefix = "/";             ///< Starts with '/' and, but for "/", does not end with it.
  deployment_name deployment = {};      ///< That answers `response(request)`.
  std::shared_ptr<router> to = nullptr; ///< Its router.
  /// Instead of the ingress's own; 0 = none.
  std::optional<std::chrono::milliseconds> request_timeout = std::nullopt;
  std::uint16_t backpressure_status = 503; ///< Or 429.
  std::uint32_t retry_after_s = 0;         ///< With it; 0 = not said.
};

/// Immutable, shareable.
class route_table {
public:
  route_table() = default;
  /// Of two routes with the same prefix the later one counts.
  explicit route_table(std::vector<route> routes);

  /// Null when none matches. "/a" matches "/a" and "/a/b" but not "/ab"; "/" matches all.
  const route* find(std::string_view path) const noexcept;
  const std::vector<route>& all() const noexcept { return routes_; } ///< By prefix.
  /// `{"/a": "application", ...}` as JSON.
  const std::string& as_json() const noexcept { return json_; }

private:
  struct text_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view x) const noexcept { return std::hash<std::string_view>{}(x); }
  };

  std::vector<route> routes_;
  std::unordered_map<std::string, const route*, text_hash, std::equal_to<>> by_prefix_;
  const route* root_ = nullptr;
  std::size_t longest_ = 0;
  std::string json_ = "{}";
};

} // namespace troupe::ingress
