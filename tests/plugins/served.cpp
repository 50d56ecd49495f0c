// An application over HTTP whose ends are seen from outside: which test build it is, and `args`, say what it does.
//   args: {"folder": where it finds the FIFOs `begun` and `go`, and writes the file `stopped`}
#include "words.hpp"
#include <troupe/app/library/application.hpp>

#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <unistd.h>
#include <utility>

#if !defined(SERVED_VERSION)
#define SERVED_VERSION 1
#endif

namespace plugins {

int read_from(const volatile int* nowhere) { return *nowhere; } // NOLINT

#if defined(SERVED_CRASHES_AT_LOAD)
[[maybe_unused]] const int crashed = read_from(nullptr);
#endif

struct back {
  reply operator()(const question& x) { return {x.text, SERVED_VERSION, 0, 0, 0}; }
};

/// Calls `back` until it is gone itself.
class front {
public:
  front(std::string folder, troupe::handle<reply(question)> next) : folder_(std::move(folder)), next_(std::move(next)) {
#if defined(SERVED_CRASHES_IN_CONSTRUCTOR)
    read_from(nullptr);
#endif
  }
  front(const front&) = delete;
  front& operator=(const front&) = delete;
  ~front() {
    int answered = 0;
    try {
      for (; answered < 50; ++answered)
        next_.async(question{"the last ones"}).get();
    } catch (const std::exception&) { // what is written says enough
    }
    std::ofstream{folder_ + "/stopped", std::ios::app} << answered << " of 50\n" << std::flush;
  }

  troupe::response operator()(const troupe::request& x) {
    if (x.path == "/hold")
      hold();
    else if (x.path == "/crash" && SERVED_VERSION == 2)
      read_from(nullptr);
    else if (x.path == "/crash/thread" && SERVED_VERSION == 2)
      std::thread{[] { read_from(nullptr); }}.join();
    else if (x.path == "/crash/exit" && SERVED_VERSION == 2)
      ::_exit(0);
    const auto heard = next_.async(question{x.path}).get();
    return troupe::response::text(200, heard.text + " version " + std::to_string(SERVED_VERSION));
  }

private:
  /// Says that it has begun, and waits until somebody lets it go.
  void hold() const {
    const int begun = ::open((folder_ + "/begun").c_str(), O_WRONLY | O_CLOEXEC);
    const int go = ::open((folder_ + "/go").c_str(), O_RDONLY | O_CLOEXEC);
    char x = 'x';
    if (::write(begun, &x, 1) != 1 || ::read(go, &x, 1) != 1)
      throw std::runtime_error("the FIFOs are not there");
    ::close(begun);
    ::close(go);
  }

  std::string folder_;
  troupe::handle<reply(question)> next_;
};

} // namespace plugins

TROUPE_APPLICATION(app) {
  using plugins::back;
  using plugins::front;
  app.deploy<back>("back");
  app.deploy<front>("front", [folder = app.args().value("folder", ""), others = app.peers()] {
    return std::make_unique<front>(folder, others.handle<plugins::reply(plugins::question)>("back"));
  });
}
