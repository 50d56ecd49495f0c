// Takes the handover, limits itself, loads the library, says hello, and hosts replicas.
#include <troupe/actors/control/control_thread.hpp>
#include <troupe/actors/control/environment.hpp>
#include <troupe/actors/control/scheduler_policy.hpp>
#include <troupe/app/library/loader.hpp>
#include <troupe/app/worker/handover.hpp>
#include <troupe/app/worker/host.hpp>
#include <troupe/app/worker/limits.hpp>
#include <troupe/app/worker/no_peers.hpp>
#include <troupe/app/worker/offer.hpp>
#include <troupe/app/worker/worker_host.hpp>
#include <troupe/messages/registry.hpp>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/io/middleman.hpp>
#include <caf/send.hpp>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <future>
#include <iostream>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace troupe::worker {

namespace {

bool read_whole(int fd, char* to, std::size_t size) {
  while (size > 0) {
    const auto n = ::read(fd, to, size);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return false;
    to += n;
    size -= static_cast<std::size_t>(n);
  }
  return true;
}

handover take_handover() {
  struct stat info {};
  std::uint64_t size = 0;
  constexpr std::uint64_t most = std::uint64_t{1} << 28U;
  if (::fstat(life_fd, &info) != 0 || !S_ISFIFO(info.st_mode) ||
      !read_whole(life_fd, reinterpret_cast<char*>(&size), sizeof size) || size > most)
    throw std::runtime_error("there is no handover: `troupe serve` starts workers by itself");
  std::string text(size, '\0');
  if (!read_whole(life_fd, text.data(), text.size()))
    throw std::runtime_error("the daemon ended before it told what to run");
  return handover_from(json::parse(text));
}

/// Ends this process, and what it has started, with the daemon: no user code can hold that up.
void end_with_daemon(int parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent)
    ::_exit(0);
  std::thread{[] {
    char c = 0;
    while (::read(life_fd, &c, 1) < 0 && errno == EINTR) {
    }
    ::kill(0, SIGKILL);
  }}.detach();
}

struct loaded {
  std::unique_ptr<library::store> files;
  std::unique_ptr<library::loader> loader;
  library::application_code code;
  error failed;
};

loaded load(const handover& h) {
  loaded out;
  try {
    apply(read_runtime_env(h.what.runtime_env));
  } catch (const std::runtime_error& e) {
    out.failed = {errc::invalid_spec, e.what()};
    return out;
  }
  std::filesystem::create_directories(h.scratch);
  out.files = std::make_unique<library::store>(
      library::store_options{.data_dir = h.data_dir, .code_dirs = h.code_dirs, .loaded_dir = h.scratch});
  out.loader = std::make_unique<library::loader>(*out.files, library::loader_options{});
  auto code = out.loader->load(
      {.digest = h.what.digest,
       .import_path = h.what.import_path,
       .application = h.what.application,
       .args = h.what.args,
       .others = peers{std::make_shared<no_peers>("deployments with `isolation: process` cannot call others")}});
  if (code)
    out.code = std::move(*code);
  else
    out.failed = code.why();
  return out;
}

int run(const handover& h) {
  struct sigaction nothing {};
  nothing.sa_handler = [](int) {};
  ::sigaction(SIGPIPE, &nothing, nullptr);
  end_with_daemon(h.parent);
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ); // a pipe, whose reader is a log
  const auto has = load(h);

  caf::actor_system_config config;
  register_messages(config);
  control::set_scheduler_policy(config, "local");
  config.set("scheduler.max-threads", static_cast<std::size_t>(h.threads));
  config.load<caf::io::middleman>();
  config.set("middleman.heartbeat-interval", caf::timespan{std::chrono::seconds{1}});
  config.set("middleman.connection-timeout", caf::timespan{0}); // the life line tells of the daemon's end
  caf::actor_system system{config};
  const auto door = system.middleman().remote_actor<worker_door_actor>("127.0.0.1", h.port);
  if (!door)
    throw std::runtime_error("the daemon's port " + std::to_string(h.port) +
                             " does not answer: " + system.render(door.error()));
  const auto env = control::make_environment(system);
  std::promise<void> ended;
  worker_hello hello;
  hello.worker = h.worker;
  hello.secret = h.secret;
  hello.wire_version = worker_wire_version;
  hello.failure = has.failed.message;
  hello.failure_code = static_cast<std::uint8_t>(has.failed.code);
  if (has.failed.code == errc::none)
    hello.offer = json_doc{to_json(has.code)};
  hello.host = spawn_worker_host(env, has.code, [&] { ended.set_value(); });
  caf::anon_send(*door, std::move(hello));
  ended.get_future().wait();
  // User code may still run, and its static destructors may wait for it: the process's end is all that is left.
  std::cout.flush();
  std::cerr.flush();
  std::fflush(nullptr);
  ::_exit(0);
}

} // namespace

int run_worker() {
  try {
    return run(take_handover());
  } catch (const std::exception& e) {
    std::cerr << "troupe worker: " << e.what() << std::endl;
    return 2;
  }
}

} // namespace troupe::worker
