#include "outside.hpp"

#include "bare.hpp"
#include <troupe/app/cluster/transport.hpp>

#include <algorithm>
#include <filesystem>
#include <stdexcept>

namespace troupe::bench {

namespace fs = std::filesystem;

namespace {

template <class T>
T must(result<T> x) {
  if (!x)
    throw std::runtime_error(x.why().message);
  return std::move(*x);
}

fs::path here() { return fs::read_symlink("/proc/self/exe").parent_path(); }

} // namespace

outside::outside(const std::string& policy, where replicas) : where_(replicas) {
  register_messages(config_);
  set_policy(config_, policy);
  if (where_ == where::nodes)
    cluster::configure(config_, {});
  else
    worker::pool::configure(config_);
  system_ = std::make_unique<caf::actor_system>(config_);
  runtime_.emplace(*system_, runtime_options{.on_nodes = where_ == where::nodes,
                                             .on_event =
                                                 [this](const runtime_event& e) {
                                                   if (e.what == "replica_available")
                                                     up_.add();
                                                 },
                                             .on_log =
                                                 [this](log_level, std::string_view text) {
                                                   if (text.find(": node_ready") != text.npos)
                                                     joined_.add();
                                                   else if (text.find(": node_lost") != text.npos)
                                                     lost_.add();
                                                 },
                                             .on_drained =
                                                 [this] {
                                                   if (head_)
                                                     head_->close();
                                                 },
                                             .on_stopped =
                                                 [this] {
                                                   if (pool_)
                                                     pool_->stop();
                                                 }});
  const auto code = here().parent_path() / "lib/troupe/bench";
  files_.emplace(library::store_options{.data_dir = folder_.path(), .code_dirs = {code}});
  digest_ = must(files_->put("libbench_echo.so:app")).digest;
  pool_.emplace(*system_, worker::worker_pool_options{.program = (here() / "troupe").string(),
                                                      .data_dir = folder_.path(),
                                                      .code_dirs = {code},
                                                      .log = {}});
  if (where_ == where::nodes)
    head_.emplace(*runtime_, cluster::head_options{.files = &*files_});
}

outside::~outside() {
  runtime_.reset();
  pool_.reset();
}

void outside::add_node(const std::string& name) {
  const auto before = joined_.count();
  nodes_[name] = std::make_unique<child>(
      std::vector<std::string>{(here() / "troupe").string(), "node", "--join",
                               "127.0.0.1:" + std::to_string(head_->port()), "--name", name, "--data-dir",
                               (folder_.path() / name).string(), "--log-level", "error", "--quiet"},
      -1);
  joined_.wait_for(before + 1);
}

outside::loss outside::kill_node(const std::string& name) {
  const auto all = must(head_->list());
  const auto it = std::find_if(all.begin(), all.end(), [&](const auto& x) { return x.name == name; });
  const auto lost = lost_.count();
  const auto up = up_.count();
  const auto start = steady::now();
  nodes_.at(name)->kill();
  lost_.wait_for(lost + 1);
  up_.wait_for(up + it->replicas);
  const auto ms = [](steady::time_point from, steady::time_point to) {
    return std::chrono::duration<double, std::milli>(to - from).count();
  };
  return {ms(start, lost_.last()), ms(lost_.last(), up_.last()), it->replicas};
}

void outside::deploy(const std::string& name, std::uint32_t max_ongoing_requests, std::uint32_t replicas) {
  const worker::launch what{"default", digest_, "libbench_echo.so:app"};
  for (const auto& d : must(pool_->describe(what)).deployments) {
    if (d.defaults.name != name)
      continue;
    auto spec = d.defaults;
    spec.application = what.application;
    spec.version = "1";
    spec.num_replicas = replicas;
    spec.max_ongoing_requests = max_ongoing_requests;
    const auto& traits = d.user_code->traits();
    spec.isolation = head_ ? isolation_mode::none : isolation_mode::process;
    const auto code = head_ ? head_->code_for(what, name, traits) : pool_->code_for(what, name, traits, 1);
    const auto before = up_.count();
    must(runtime_->try_deploy(spec, {name, code}));
    up_.wait_for(before + replicas);
  }
}

void outside::scale(const std::string& name, std::uint32_t replicas) {
  const auto before = up_.count();
  const auto now = runtime_->status(name, false).available;
  runtime_->scale(name, replicas);
  if (replicas > now)
    up_.wait_for(before + replicas - now);
}

} // namespace troupe::bench
