// The ledger of nodes against a model that looks at all nodes for every answer, through random histories.
#include <troupe/actors/controller/node_ledger.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace troupe::controller::node_ledger_model {

namespace {

struct model_demand {
  std::string of;
  placement_request what;
  bool open = true;
};

struct model_node {
  joining_node info;
  std::map<demand_id, std::uint32_t> on;
};

/// Small numbers only.
struct model {
  std::map<node_id, model_node> nodes;
  std::map<demand_id, model_demand> demands;

  resources free(const model_node& n) const {
    auto left = n.info.total;
    for (const auto& [d, count] : n.on)
      take(left, demands.at(d).what.each, count);
    return left;
  }
  std::uint64_t held(const model_node& n, const std::string& of) const {
    std::uint64_t sum = 0;
    for (const auto& [d, count] : n.on)
      sum += of.empty() || demands.at(d).of == of ? count : 0;
    return sum;
  }
  static std::uint64_t matching(const std::vector<label_rule>& rules, const node_labels& labels) {
    return static_cast<std::uint64_t>(std::count_if(rules.begin(), rules.end(), [&](const auto& r) {
      const auto it = labels.find(r.key);
      const bool among = it != labels.end() && std::count(r.values.begin(), r.values.end(), it->second) > 0;
      return r.negated ? !among : among;
    }));
  }

  std::optional<std::pair<misfit, std::string>> why_not(const model_demand& d, const model_node& n, bool empty) const {
    if (matching(d.what.required, n.info.labels) != d.what.required.size())
      return std::pair{misfit::labels, std::string{}};
    if (const auto x = first_lacking(d.what.each, n.info.total))
      return std::pair{misfit::too_small, x->name};
    if (empty)
      return std::nullopt;
    switch (n.info.state) {
    case node_state::ready:
      break;
    case node_state::cordoned:
      return std::pair{misfit::cordoned, std::string{}};
    case node_state::draining:
      return std::pair{misfit::draining, std::string{}};
    case node_state::suspect:
      return std::pair{misfit::suspect, std::string{}};
    }
    if (const auto most = d.what.max_replicas_per_node; most > 0 && held(n, d.of) >= most)
      return std::pair{misfit::per_node, std::string{}};
    if (const auto x = first_lacking(d.what.each, free(n)))
      return std::pair{misfit::lacks, x->name};
    return std::nullopt;
  }

  std::optional<node_id> best(const model_demand& d) const {
    using order = std::tuple<std::int64_t, std::int64_t, std::int64_t, std::int64_t, node_id>;
    std::optional<order> least;
    for (const auto& [id, n] : nodes) {
      if (why_not(d, n, false))
        continue;
      std::int64_t share = 1'000'000'000;
      for (const auto& x : d.what.each.amounts)
        share =
            std::min(share, static_cast<std::int64_t>(free(n).of(x.name) * 1'000'000'000 / n.info.total.of(x.name)));
      const auto matches = static_cast<std::int64_t>(matching(d.what.preferred, n.info.labels));
      const auto all = static_cast<std::int64_t>(held(n, ""));
      const auto mine = static_cast<std::int64_t>(held(n, d.of));
      const auto here = d.what.strategy == placement_strategy::spread ? order{-matches, mine, -share, all, id}
                                                                      : order{-matches, share, -all, 0, id};
      if (!least || here < *least)
        least = here;
    }
    return least ? std::optional{std::get<4>(*least)} : std::nullopt;
  }

  fit_report report(const model_demand& d, bool empty) const {
    fit_report result{static_cast<std::uint32_t>(nodes.size()), 0, {}};
    std::map<std::pair<misfit, std::string>, std::uint32_t> counts;
    for (const auto& [id, n] : nodes)
      if (const auto x = why_not(d, n, empty))
        ++counts[*x];
      else
        ++result.fitting;
    for (const auto& [x, n] : counts)
      result.misfits.push_back({x.first, x.second, n});
    return result;
  }

  std::uint32_t placed(demand_id d) const {
    std::uint32_t sum = 0;
    for (const auto& [id, n] : nodes)
      if (const auto it = n.on.find(d); it != n.on.end())
        sum += it->second;
    return sum;
  }
  void drop_unused() {
    std::erase_if(demands, [&](const auto& x) { return !x.second.open && placed(x.first) == 0; });
  }
  void give_back(demand_id d, node_id id) {
    auto& n = nodes.at(id);
    if (--n.on.at(d) == 0)
      n.on.erase(d);
    drop_unused();
  }
};

/// One history: what the ledger says at each step, the model says too.
class history {
public:
  /// Rounds differ in the number of nodes: below, about and above what counts as few.
  explicit history(std::uint64_t seed)
      : random_(seed), most_nodes_(std::array<std::size_t, 4>{3, 12, 24, 60}[seed % 4]), quiet_(seed % 3 == 0) {}

  void run(int steps) {
    while (model_.nodes.size() < most_nodes_ / 2)
      add_node();
    for (int i = 0; i < steps; ++i) {
      const auto x = below(100);
      if (x < (quiet_ ? 1U : 4U))
        add_node();
      else if (x < (quiet_ ? 2U : 7U))
        remove_node();
      else if (x < 12)
        change_state();
      else if (x < 20)
        open();
      else if (x < 23)
        close();
      else if (x < 24)
        forget();
      else if (x < 28)
        adopt();
      else if (x < 45)
        give_back();
      else
        place();
      if (i % 16 == 0)
        compare_sums();
    }
    compare_sums();
    for (const auto* name : {"a", "b", "c", "d"})
      nodes_.forget({"default", name});
    CHECK(nodes_.shapes() == 0);
    for (const auto& n : nodes_.report().nodes)
      CHECK(n.used == resources{});
  }

private:
  std::uint64_t below(std::uint64_t n) { return random_() % n; }
  std::string label() { return std::string(1, static_cast<char>('x' + below(3))); }

  template <class Map>
  auto any_of(Map& from) {
    return std::next(from.begin(), static_cast<std::ptrdiff_t>(below(from.size())));
  }

  resources amounts(std::uint64_t most) {
    resources x;
    for (const auto* name : {"num_cpus", "memory", "tpu"})
      if (below(3) > 0)
        x.set(name, below(most + 1));
    return x;
  }

  placement_request request() {
    placement_request x;
    x.each = amounts(3);
    x.strategy = below(2) == 0 ? placement_strategy::spread : placement_strategy::pack;
    x.max_replicas_per_node = below(3) == 0 ? static_cast<std::uint32_t>(1 + below(3)) : 0;
    const auto rules = [&](std::uint64_t most) {
      std::vector<label_rule> result;
      for (auto n = below(most + 1); n > 0; --n)
        result.push_back({below(2) == 0 ? "zone" : "disk", {label(), label()}, below(3) == 0});
      return result;
    };
    if (below(3) == 0)
      x.required = rules(2);
    if (below(2) == 0)
      x.preferred = rules(3);
    return x;
  }

  void add_node() {
    if (model_.nodes.size() >= most_nodes_)
      return;
    joining_node n{++last_node_, "n", {}, amounts(20), static_cast<node_state>(below(8) == 0 ? below(4) : 0)};
    for (const auto* key : {"zone", "disk"})
      if (below(3) > 0)
        n.labels[key] = label();
    CHECK(nodes_.add_node(n));
    model_.nodes[n.id] = {n, {}};
  }

  void remove_node() {
    if (model_.nodes.empty())
      return;
    const auto it = any_of(model_.nodes);
    std::vector<placed_replicas> lost;
    for (const auto& [d, count] : it->second.on)
      lost.push_back({{"default", model_.demands.at(d).of}, d, count});
    CHECK(nodes_.remove_node(it->first) == lost);
    model_.nodes.erase(it);
    model_.drop_unused();
  }

  void change_state() {
    if (model_.nodes.empty())
      return;
    const auto it = any_of(model_.nodes);
    it->second.info.state = static_cast<node_state>(below(2) == 0 ? 0 : below(4));
    CHECK(nodes_.set_state(it->first, it->second.info.state));
  }

  void open() {
    const std::string of(1, static_cast<char>('a' + below(4)));
    const auto what = below(4) == 0 && !model_.demands.empty() ? any_of(model_.demands)->second.what : request();
    const auto id = nodes_.open({"default", of}, what);
    for (const auto& [d, x] : model_.demands)
      CHECK((d == id) == (x.of == of && x.what == what));
    model_.demands[id] = {of, what, true};
  }

  void close() {
    if (model_.demands.empty())
      return;
    const auto it = any_of(model_.demands);
    nodes_.close(it->first);
    it->second.open = false;
    model_.drop_unused();
  }

  void forget() {
    const std::string of(1, static_cast<char>('a' + below(4)));
    nodes_.forget({"default", of});
    for (auto& [id, n] : model_.nodes)
      std::erase_if(n.on, [&](const auto& x) { return model_.demands.at(x.first).of == of; });
    std::erase_if(model_.demands, [&](const auto& x) { return x.second.of == of; });
  }

  void adopt() {
    if (model_.nodes.empty() || model_.demands.empty())
      return;
    const auto n = any_of(model_.nodes);
    const auto d = any_of(model_.demands);
    const bool room = fits(d->second.what.each, model_.free(n->second));
    CHECK(nodes_.adopt(d->first, n->first) == room);
    if (room)
      ++n->second.on[d->first];
  }

  void give_back() {
    if (model_.nodes.empty() || model_.demands.empty())
      return;
    const auto n = any_of(model_.nodes);
    const auto d = n->second.on.empty() || below(8) == 0 ? any_of(model_.demands)->first : any_of(n->second.on)->first;
    const bool there = n->second.on.count(d) > 0;
    CHECK(nodes_.give_back(d, n->first) == there);
    if (there)
      model_.give_back(d, n->first);
  }

  /// Several in a row: the deployment comes to be on many nodes.
  void place() {
    if (model_.demands.empty())
      return;
    const auto& [id, d] = *any_of(model_.demands);
    for (auto n = below(4) == 0 ? 1 + below(30) : 1; n > 0; --n) {
      if (below(2) == 0)
        CHECK(nodes_.explain(id) == model_.report(d, false));
      CHECK(nodes_.never(id) == model_.report(d, true));
      const auto expected = d.open ? model_.best(d) : std::nullopt;
      REQUIRE(nodes_.place(id) == expected);
      if (!expected)
        break;
      ++model_.nodes.at(*expected).on[id];
    }
  }

  void compare_sums() {
    const auto report = nodes_.report();
    REQUIRE(report.nodes.size() == model_.nodes.size());
    std::size_t row = 0;
    for (const auto& [id, n] : model_.nodes) {
      auto used = n.info.total;
      take(used, model_.free(n));
      CHECK(report.nodes[row].total == n.info.total);
      CHECK(report.nodes[row].used == used);
      CHECK(fits(used, n.info.total));
      CHECK(nodes_.placed({"default", "a"}, id) == model_.held(n, "a"));
      ++row;
    }
    for (const auto& [id, d] : model_.demands)
      CHECK(nodes_.placed(id) == model_.placed(id));
  }

  std::mt19937_64 random_;
  std::size_t most_nodes_;
  bool quiet_; // few nodes come and go
  node_ledger nodes_;
  model model_;
  node_id last_node_ = 0;
};

} // namespace

TEST_CASE("whatever comes and goes, the ledger answers as one that looks at all nodes") {
  for (std::uint64_t seed = 1; seed <= 96; ++seed) {
    CAPTURE(seed);
    history{seed}.run(400);
  }
}

} // namespace troupe::controller::node_ledger_model
