// Private to app/api: the endpoints of a cluster's nodes.
#pragma once

#include <troupe/app/api/endpoints.hpp>

#include <algorithm>
#include <array>
#include <cstddef>

namespace troupe::api {

response get_nodes(const call_in& in);
response get_node(const call_in& in);
response post_cordon(const call_in& in);
response post_uncordon(const call_in& in);
response post_drain(const call_in& in);
response delete_node(const call_in& in);

inline constexpr std::array node_endpoints{
    endpoint{"GET", "/api/troupe/v1/nodes", "All nodes of the cluster, lost and gone ones included.", get_nodes,
             "nodes"},
    endpoint{"GET", "/api/troupe/v1/nodes/{name}", "One node.", get_node, "node"},
    endpoint{"DELETE", "/api/troupe/v1/nodes/{name}",
             "Forgets a node that is lost or gone, or ends one that is alive and empty.", delete_node, "removed_node",
             "force"},
    endpoint{"POST", "/api/troupe/v1/nodes/{name}/cordon", "Places no new replicas on it; what it has stays.",
             post_cordon, "node"},
    endpoint{"POST", "/api/troupe/v1/nodes/{name}/uncordon", "Places replicas on it again; also takes back a drain.",
             post_uncordon, "node"},
    endpoint{"POST", "/api/troupe/v1/nodes/{name}/drain",
             "Moves its replicas elsewhere. Answers at once; the node's `empty` says when that is done.", post_drain,
             "node"},
};

template <std::size_t N, std::size_t M>
constexpr std::array<endpoint, N + M> joined(const std::array<endpoint, N>& a, const std::array<endpoint, M>& b) {
  std::array<endpoint, N + M> all{};
  std::copy(b.begin(), b.end(), std::copy(a.begin(), a.end(), all.begin()));
  return all;
}

} // namespace troupe::api
