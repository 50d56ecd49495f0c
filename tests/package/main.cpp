// A user's program against the installed package: compiles, links and runs with nothing but find_package(troupe).
#include <troupe/troupe.hpp>

#include <cstdio>
#include <string>

namespace {

struct ask {
  std::string name;
};
struct reply {
  std::string text;
};

class greeter {
public:
  explicit greeter(const troupe::json& init_args) : sign_(init_args.at("sign")) {}
  reply operator()(const ask& x) { return {greeting_ + ", " + x.name + sign_}; }
  void reconfigure(const troupe::json& config) { greeting_ = config.at("greeting"); }

private:
  std::string sign_, greeting_ = "?";
};

troupe::deployment_options wish(const std::string& version, const std::string& sign, const std::string& greeting) {
  return troupe::deployment_options{"greeter"}
      .version(version)
      .num_replicas(5)
      .init_args({{"sign", sign}})
      .user_config({{"greeting", greeting}});
}

} // namespace

int main() {
  using namespace std::chrono_literals;
  troupe::runtime rt;
  const auto expect = [&](const std::string& text) {
    const auto answer = rt.handle<reply(ask)>("greeter").async(ask{"world"}).get().text;
    if (!rt.wait_until_healthy("greeter", 60s) || answer.empty()) {
      std::printf("package: not healthy: %s\n", rt.status("greeter").message.c_str());
      return false;
    }
    const auto settled = rt.handle<greeter>("greeter").async(ask{"world"}).get().text;
    if (settled != text)
      std::printf("package: expected \"%s\", got \"%s\"\n", text.c_str(), settled.c_str());
    return settled == text;
  };

  rt.run<greeter>(wish("1", ".", "hello"));
  if (!expect("hello, world."))
    return 1;
  rt.run<greeter>(wish("2", "!", "hello")); // a rolling replacement
  if (!expect("hello, world!"))
    return 1;
  rt.run<greeter>(wish("2", "!", "good morning")); // a reconfigure in place
  if (!expect("good morning, world!"))
    return 1;
  std::puts("package: installed headers and libraries work");
  return 0;
}
