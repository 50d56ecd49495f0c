// An application over HTTP that shows in which process it runs, and can end it in every way; with a dependency of its
// own (built in the folders one and two). init_args {"crash": how}, user_config {"crash": how} and {"throw": text}.
#include <troupe/app/library/application.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

namespace plugins {

int version_of_dependency();

namespace {

int read_from(const volatile int* nowhere) { return *nowhere; } // NOLINT

void throws() { throw std::runtime_error("out of a destructor"); }

struct throws_at_end {
  ~throws_at_end() { throws(); } // which no destructor may, unless it says so
};

int deeper(unsigned depth) { // NOLINT: recursion without an end
  volatile char here[128];
  here[depth % sizeof here] = static_cast<char>(depth);
  return depth == 0 ? 0 : deeper(depth + 1) + here[(std::size_t{depth} * 7) % sizeof here];
}

void take_memory() noexcept { // beyond a limit `new` throws, and here nothing may
  std::vector<std::unique_ptr<char[]>> taken;
  for (int i = 0; i < 4096; ++i) {
    taken.push_back(std::make_unique<char[]>(std::size_t{1} << 20U));
    taken.back()[4096] = 'x';
  }
}

void crash(const std::string& how) {
  if (how.empty())
    return;
  std::fprintf(stderr, "about to end by %s\n", how.c_str());
  if (how == "segv")
    read_from(nullptr);
  else if (how == "abort")
    std::abort();
  else if (how == "exit")
    std::exit(3); // NOLINT: the point of it
  else if (how == "_exit")
    ::_exit(4);
  else if (how == "destructor")
    throws_at_end{};
  else if (how == "stack")
    deeper(1);
  else if (how == "memory")
    take_memory();
  else if (how == "thread")
    std::thread{[] { read_from(nullptr); }}.join();
}

[[maybe_unused]] const bool loaded = [] { // where the library is loaded
  if (const char* how = std::getenv("CRASH_AT_LOAD"))
    crash(how);
  return true;
}();

std::string text_in(const troupe::json& x, const char* key) { return x.is_object() ? x.value(key, "") : std::string{}; }

class isolated {
public:
  explicit isolated(const troupe::json& init_args) { crash(text_in(init_args, "crash")); }

  void reconfigure(const troupe::json& config) {
    crash(text_in(config, "crash"));
    if (const auto text = text_in(config, "throw"); !text.empty())
      throw std::runtime_error(text);
    config_ = config.dump();
  }

  troupe::response operator()(const troupe::request& x) {
    const auto path = std::string{x.sub_path()};
    const auto rest = path.substr(std::min(path.size(), path.find('/', 1) + 1));
    if (path.starts_with("/crash/"))
      crash(rest);
    if (path.starts_with("/variable/"))
      return text(std::getenv(rest.c_str()) ? std::getenv(rest.c_str()) : "none");
    if (path.starts_with("/file/")) {
      std::ifstream file{rest};
      return text({std::istreambuf_iterator<char>{file}, {}});
    }
    if (path.starts_with("/print/")) { // so many lines on stderr, one on stdout
      for (int i = 0; i < std::stoi(rest); ++i)
        std::fprintf(stderr, "line %d of %s\n", i, std::getenv("TOKEN") ? std::getenv("TOKEN") : "nobody");
      std::printf("printed %s\n", rest.c_str());
      std::fflush(stdout);
      return text("printed");
    }
    if (path == "/folder") {
      std::array<char, 4096> folder{};
      return text(::getcwd(folder.data(), folder.size()));
    }
    if (path == "/process")
      return text(std::to_string(::getpid()));
    if (path == "/object")
      return text(std::to_string(::getpid()) + '-' + std::to_string(born_));
    if (path == "/config")
      return text(config_);
    if (path == "/dependency")
      return text(std::to_string(version_of_dependency()));
    if (path == "/wait") { // until it is killed
      std::fprintf(stderr, "waiting\n");
      for (;;)
        ::pause();
    }
    if (path == "/echo")
      return text(x.body);
    if (path == "/throw")
      throw std::runtime_error("thrown in a worker");
    return text("here");
  }

private:
  static troupe::response text(std::string what) { return troupe::response::text(200, std::move(what)); }

  const std::int64_t born_ = std::chrono::steady_clock::now().time_since_epoch().count();
  std::string config_ = "null";
};

} // namespace
} // namespace plugins

TROUPE_APPLICATION(app) { app.deploy<plugins::isolated>("isolated"); }
