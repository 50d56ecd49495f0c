// Looks prefixes up, longest first.
#include <troupe/app/ingress/route_table.hpp>
#include <troupe/messages/json_doc.hpp>

#include <algorithm>
#include <map>
#include <utility>

namespace troupe::ingress {

route_table::route_table(std::vector<route> routes) {
  std::map<std::string, route> sorted;
  for (auto& x : routes) {
    auto key = x.prefix;
    sorted.insert_or_assign(std::move(key), std::move(x));
  }
  for (auto& entry : sorted)
    routes_.push_back(std::move(entry.second));
  auto listed = json::object();
  for (const auto& x : routes_) {
    listed[x.prefix] = x.deployment.application;
    if (x.prefix == "/") {
      root_ = &x;
      continue;
    }
    by_prefix_.emplace(x.prefix, &x);
    longest_ = std::max(longest_, x.prefix.size());
  }
  json_ = listed.dump(-1, ' ', false, json::error_handler_t::replace);
}

const route* route_table::find(std::string_view path) const noexcept {
  if (by_prefix_.empty() || path.empty() || path.front() != '/')
    return root_;
  auto end = path.size();
  // Only borders within the longest prefix are looked at: a path of slashes costs no more than another.
  if (end > longest_)
    end = path.find('/', longest_) == longest_ ? longest_ : path.rfind('/', longest_);
  while (end != std::string_view::npos && end > 0) {
    if (const auto found = by_prefix_.find(path.substr(0, end)); found != by_prefix_.end())
      return found->second;
    end = path.rfind('/', end - 1);
  }
  return root_;
}

} // namespace troupe::ingress
