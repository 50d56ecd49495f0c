#include <troupe/app/cluster/code_source.hpp>
#include <troupe/app/cluster/guard.hpp>
#include <troupe/app/cluster/head.hpp>
#include <troupe/app/cluster/placed_code.hpp>
#include <troupe/app/cluster/transport.hpp>

#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <utility>

namespace troupe::cluster {

namespace {

constexpr const char* node_kind = "node"; ///< Of documents in the database.
constexpr const char* cluster_kind = "cluster";
constexpr const char* last_id_key = "last_node_id";

error ended() { return {errc::runtime_stopped, "the controller ends"}; }

json to_json(const nodes::known_node& x) {
  return {{"cordoned", x.cordoned}, {"drained", x.drained}, {"expected", x.expected}};
}

} // namespace

head::head(runtime& rt, head_options options) : rt_(rt), options_(std::move(options)) {
  auto& sys = rt_.system();
  source_ = spawn_code_source(sys, *options_.files);
  nodes::door_boot boot{.controller = rt_.controller(),
                        .code = source_,
                        .release = options_.release,
                        .bounds = options_.bounds,
                        .persist = [this](const auto& what, std::uint64_t last) { persist(what, last); }};
  if (options_.self)
    boot.guard = std::make_shared<certificate_guard>(options_.self);
  if (options_.db) {
    for (const auto& [name, x] : options_.db->read(node_kind))
      boot.known.push_back({name, x.value("cordoned", false), x.value("drained", false), x.value("expected", false)});
    const auto last = options_.db->find(cluster_kind, last_id_key);
    boot.last_id = last.is_number_unsigned() ? last.get<std::uint64_t>() : 0;
  }
  door_ = nodes::spawn_door(rt_.environment(), std::move(boot));
  places_->open(door_);
  try {
    port_ =
        publish(sys, caf::actor_cast<node_door_actor>(door_), options_.host, options_.port, options_.self != nullptr);
  } catch (...) {
    close();
    throw;
  }
}

head::~head() { close(); }

void head::close() {
  if (closed_.exchange(true))
    return;
  if (port_ != 0)
    unpublish(rt_.system(), caf::actor_cast<node_door_actor>(door_), port_, options_.self != nullptr);
  caf::scoped_actor self{rt_.system(), true};
  self->monitor(door_);
  caf::anon_send_exit(door_, caf::exit_reason::user_shutdown);
  self->receive([](const caf::down_msg&) {});
  caf::anon_send_exit(source_, caf::exit_reason::user_shutdown);
  places_->shut();
}

std::shared_ptr<const code> head::code_for(const worker::launch& what, const std::string& deployment,
                                           const code_traits& traits) {
  load_code order;
  order.code = ++last_code_;
  order.application = what.application;
  order.deployment = deployment;
  order.digest = what.digest;
  order.import_path = what.import_path;
  order.args = json_doc{what.args};
  if (const auto files = options_.files->files(what.digest)) // else the nodes say what they lack
    for (const auto& x : *files)
      order.files.push_back({x.soname, x.digest, x.source});
  return std::make_shared<placed_code>(places_, std::move(order), deployment, traits, options_.secrets);
}

void head::set_routes(node_routes routes) { caf::anon_send(door_, nodes::set_paths{std::move(routes)}); }

// On the control thread; a node joins or leaves seldom.
void head::persist(const nodes::known_node& what, std::uint64_t last_id) {
  if (!options_.db)
    return;
  const bool is_kept = what.cordoned || what.drained || what.expected;
  const auto failed = options_.db->write_now(
      {{node_kind, what.name, is_kept ? to_json(what) : json(nullptr)}, {cluster_kind, last_id_key, last_id}});
  if (failed.code != errc::none)
    rt_.environment()->log(control::log_level::error, "node " + what.name + " is not stored: " + failed.message);
}

result<std::vector<node_line>> head::list() const {
  if (closed_)
    return ended();
  caf::scoped_actor self{rt_.system(), true};
  std::optional<nodes::node_list> got;
  self->request(door_, caf::infinite, nodes::list_nodes{})
      .receive([&](nodes::node_list& x) { got.emplace(std::move(x)); }, [](const caf::error&) {});
  if (!got)
    return ended();
  const auto report = rt_.resources();
  std::vector<node_line> out;
  for (std::size_t i = 0; i < got->nodes.size(); ++i) {
    const auto& x = got->nodes[i];
    const auto since = [&](nodes::instant t) {
      return std::chrono::duration_cast<std::chrono::milliseconds>(got->now - t);
    };
    node_line line{.name = x.about.name,
                   .state = nodes::to_string(x.state),
                   .host = x.about.host,
                   .release = x.about.release,
                   .labels = x.about.labels,
                   .total = x.about.total,
                   .used = {},
                   .replicas = got->replicas[i],
                   .cordoned = x.cordoned,
                   .drained = x.drained,
                   .empty = x.empty,
                   .since = since(x.since),
                   .silence = nodes::is_alive(x.state) ? since(x.heard) : std::chrono::milliseconds{0},
                   .message = x.message};
    const auto named = [&](const node_resources& r) { return r.node == line.name; };
    if (const auto it = std::find_if(report.nodes.begin(), report.nodes.end(), named); it != report.nodes.end())
      line.used = it->used;
    out.push_back(std::move(line));
  }
  return out;
}

result<bool> head::operate(nodes::any_event what) {
  if (closed_)
    return ended();
  caf::scoped_actor self{rt_.system(), true};
  auto refused = ended();
  self->request(door_, caf::infinite, nodes::operate_node{std::move(what)})
      .receive([&](nodes::operated& x) { refused = std::move(x.refused); }, [](const caf::error&) {});
  if (refused.code != errc::none)
    return refused;
  return true;
}

result<bool> head::cordon(const std::string& name, bool on) { return operate(nodes::event::cordon{name, on}); }
result<bool> head::drain(const std::string& name) { return operate(nodes::event::drain{name}); }
result<bool> head::remove(const std::string& name, bool force) { return operate(nodes::event::remove{name, force}); }

} // namespace troupe::cluster
