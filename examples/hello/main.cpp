// The smallest deployment: run it, ask it, reconfigure it, replace it.
#include <troupe/troupe.hpp>

#include <iostream>
#include <string>

struct greet {
  std::string whom;
};
struct greeting {
  std::string text;
};

class greeter {
public:
  greeting operator()(const greet& request) { return {word_ + ", " + request.whom + "!"}; }
  void reconfigure(const troupe::json& config) { word_ = config.at("word"); }

private:
  std::string word_ = "Hello";
};

class shouting_greeter {
public:
  greeting operator()(const greet& request) { return {"HELLO, " + request.whom + "!!!"}; }
};

int main() {
  using options = troupe::deployment_options;
  using namespace std::chrono_literals;
  const auto show = [](const greeting& g) { std::cout << g.text << '\n'; };

  troupe::runtime rt;
  rt.run<greeter>(options("greeter").version("1").num_replicas(10));
  const auto h = rt.handle<greeting(greet)>("greeter"); // stays good through all that follows
  show(h.async(greet{"world"}).get());

  // Other config: reconfigure runs on each replica, between two requests; nothing is restarted.
  rt.run<greeter>(options("greeter").version("1").num_replicas(10).user_config({{"word", "Good morning"}}));
  if (!rt.wait_until_healthy("greeter", 10s))
    return 1;
  show(h.async(greet{"world"}).get());

  // Other code: a rolling update in waves of 20 %, while requests are answered.
  rt.run<shouting_greeter>(options("greeter").version("2").num_replicas(10));
  if (!rt.wait_until_healthy("greeter", 10s))
    return 1;
  show(h.async(greet{"world"}).get());
}
