#include "in_workers.hpp"

#include "bare.hpp"

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

} // namespace

in_workers::in_workers(const std::string& policy) {
  register_messages(config_);
  set_policy(config_, policy);
  worker::pool::configure(config_);
  system_ = std::make_unique<caf::actor_system>(config_);
  runtime_.emplace(*system_, runtime_options{.on_event =
                                                 [this](const runtime_event& e) {
                                                   if (e.what == "replica_available") {
                                                     ++up_;
                                                     up_.notify_all();
                                                   }
                                                 },
                                             .on_stopped =
                                                 [this] {
                                                   if (pool_)
                                                     pool_->stop();
                                                 }});
  const auto here = fs::read_symlink("/proc/self/exe").parent_path();
  const auto code = here.parent_path() / "lib/troupe/bench";
  files_.emplace(library::store_options{.data_dir = folder_.path(), .code_dirs = {code}});
  digest_ = must(files_->put("libbench_echo.so:app")).digest;
  pool_.emplace(*system_,
                worker::worker_pool_options{
                    .program = (here / "troupe").string(), .data_dir = folder_.path(), .code_dirs = {code}, .log = {}});
}

in_workers::~in_workers() {
  runtime_.reset();
  pool_.reset();
}

void in_workers::deploy(const std::string& name, std::uint32_t max_ongoing_requests) {
  const worker::launch what{"default", digest_, "libbench_echo.so:app"};
  for (const auto& d : must(pool_->describe(what)).deployments) {
    if (d.defaults.name != name)
      continue;
    auto spec = d.defaults;
    spec.application = what.application;
    spec.version = "1";
    spec.isolation = isolation_mode::process;
    spec.max_ongoing_requests = max_ongoing_requests;
    const auto code = pool_->code_for(what, name, d.user_code->traits(), 1);
    const auto before = up_.load();
    must(runtime_->try_deploy(spec, {name, code}));
    wait_for(before + 1);
  }
}

void in_workers::scale(const std::string& name, std::uint32_t replicas) {
  const auto before = up_.load();
  const auto now = runtime_->status(name, false).available;
  runtime_->scale(name, replicas);
  if (replicas > now)
    wait_for(before + replicas - now);
}

void in_workers::wait_for(std::uint32_t replicas) {
  for (auto n = up_.load(); n < replicas; n = up_.load())
    up_.wait(n);
}

} // namespace troupe::bench
