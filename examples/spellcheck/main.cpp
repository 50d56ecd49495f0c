// A spell checker that stays at work while it is reconfigured, updated, rolled back and scaled.
#include "clients.hpp"
#include "operations.hpp"
#include "options.hpp"
#include "show.hpp"
#include "texts.hpp"
#include "verdict.hpp"
#include "witness.hpp"
#include <troupe/troupe.hpp>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <exception>
#include <thread>
#include <unistd.h>

namespace {

using namespace spellcheck;

/// SIGINT and SIGTERM, kept from all threads and asked for by the main thread: no handler, no race.
class interrupts {
public:
  interrupts() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGINT);
    sigaddset(&signals_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  }
  /// Waits for a tenth of a second; whether there was one.
  bool within_a_tick() const {
    const timespec tick{.tv_sec = 0, .tv_nsec = 100'000'000};
    return sigtimedwait(&signals_, nullptr, &tick) > 0;
  }

private:
  sigset_t signals_{};
};

int play(const options& chosen, const texts& all) {
  const interrupts signals; // before there are other threads, which inherit what is blocked
  caf::actor_system_config config;
  troupe::register_messages(config);
  caf::actor_system system(config);

  witness seen;
  ledger book(all);
  bool interrupted = false;
  {
    troupe::runtime runtime(system, {.on_event = [&](const troupe::runtime_event& event) { seen.saw(event); }});
    operations steps(runtime, seen, book, chosen, all);
    const auto title = std::to_string(all.files) + " files, " + grouped(all.pages.size()) + " pages, " +
                       std::to_string(chosen.clients) + " actors and a thread as clients";
    const auto stage = isatty(STDOUT_FILENO) != 0 && !chosen.plain ? make_live_show(seen, book, title)
                                                                   : make_plain_show(seen, book, title);
    const auto spellers = steps.deploy_first();
    clients readers(system, spellers, book, chosen.clients);
    std::atomic<bool> over{false};
    std::thread day([&] {
      steps.run();
      over = true;
    });
    while (!over) {
      if (signals.within_a_tick()) {
        interrupted = true;
        seen.stop();
        break;
      }
      stage->tick(runtime.status(operations::name));
    }
    day.join();
    readers.stop();
    stage->tick(runtime.status(operations::name));
    stage->finish();
  } // drains and ends the replicas
  if (interrupted)
    std::puts("interrupted; so far:");
  const bool kept = print_verdict(seen.updates(), book);
  return !kept ? 1 : interrupted ? 130 : 0;
}

} // namespace

int main(int argc, char** argv) {
  const auto [given, exit_code] = parse(argc, argv);
  if (!given)
    return exit_code;
  texts all;
  try {
    all = read_texts(given->files, given->dictionary);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "spellcheck: %s\n", e.what());
    return 2;
  }
  try {
    return play(*given, all);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "spellcheck: %s\n", e.what());
    return 1;
  }
}
