// Nodes: what is there, and what operators want of it.
#include <troupe/app/api/node_endpoints.hpp>
#include <troupe/app/cluster/node_operator.hpp>

#include <algorithm>
#include <optional>

namespace troupe::api {

namespace {

using cluster::node_line;

json node_json(const node_line& x) {
  const auto in_seconds = [](std::chrono::milliseconds t) { return static_cast<double>(t.count()) / 1000; };
  return {{"name", x.name},
          {"state", x.state},
          {"host", x.host},
          {"release", x.release},
          {"labels", x.labels},
          {"resources", {{"total", to_json(x.total)}, {"used", to_json(x.used)}}},
          {"replicas", x.replicas},
          {"cordoned", x.cordoned},
          {"drained", x.drained},
          {"empty", x.empty},
          {"since_s", in_seconds(x.since)},
          {"silence_s", in_seconds(x.silence)},
          {"message", x.message}};
}

cluster::node_operator& nodes_of(const call_in& in) {
  if (!in.about.nodes)
    throw problem_answer(
        {404, "no_cluster",
         "this daemon has no cluster: `troupe serve --cluster-address HOST:PORT` starts one that nodes "
         "can join"});
  return *in.about.nodes;
}

template <class T>
T answered(result<T> x) {
  if (x)
    return std::move(x).value();
  if (x.code() == errc::invalid_spec) // no node has this name
    throw problem_answer({404, "not_found", x.why().message});
  throw problem_answer(daemon::of_error(x.why()));
}

[[noreturn]] void no_node(const std::string& name, const std::vector<node_line>& all) {
  std::string text;
  for (const auto& x : all)
    text += (text.empty() ? "; there are: " : ", ") + x.name;
  throw problem_answer({404, "not_found", "there is no node " + name + (all.empty() ? ", nor any other" : text)});
}

std::optional<node_line> found(const std::vector<node_line>& all, const std::string& name) {
  const auto it = std::find_if(all.begin(), all.end(), [&](const auto& x) { return x.name == name; });
  return it == all.end() ? std::nullopt : std::optional{*it};
}

/// The node after a change. What operators want belongs to the name: one that is not listed any more has it, too, when
/// it joins again.
response changed(const call_in& in, bool cordoned, bool drained) {
  const auto& name = in.names.at("name");
  node_line away;
  away.name = name;
  away.state = "GONE";
  away.cordoned = cordoned;
  away.drained = drained;
  away.message = "it is away; this holds when it joins again";
  return as_json(node_json(found(answered(nodes_of(in).list()), name).value_or(away)));
}

} // namespace

response get_nodes(const call_in& in) {
  json all = json::array();
  for (const auto& x : answered(nodes_of(in).list()))
    all.push_back(node_json(x));
  return as_json({{"nodes", std::move(all)}});
}

response get_node(const call_in& in) {
  const auto all = answered(nodes_of(in).list());
  const auto x = found(all, in.names.at("name"));
  if (!x)
    no_node(in.names.at("name"), all);
  return as_json(node_json(*x));
}

response post_cordon(const call_in& in) {
  answered(nodes_of(in).cordon(in.names.at("name"), true));
  return changed(in, true, false);
}

response post_uncordon(const call_in& in) {
  answered(nodes_of(in).cordon(in.names.at("name"), false));
  return changed(in, false, false);
}

response post_drain(const call_in& in) {
  answered(nodes_of(in).drain(in.names.at("name")));
  return changed(in, false, true);
}

response delete_node(const call_in& in) {
  answered(nodes_of(in).remove(in.names.at("name"), flag_of(in.asked, "force")));
  return as_json({{"node", in.names.at("name")}, {"removed", true}});
}

} // namespace troupe::api
