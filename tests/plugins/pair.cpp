// Two deployments, of which one asks the other, and a second application.
#include "words.hpp"
#include <troupe/app/library/application.hpp>

#include <memory>
#include <utility>

namespace plugins {

struct back {
  reply operator()(const question& x) { return {"back heard " + x.text, 1, 0, 0, 0}; }
};

class front {
public:
  explicit front(troupe::handle<reply(question)> next) : next_(std::move(next)) {}
  void operator()(const question& x, troupe::promise<reply> answer) {
    auto later = std::make_shared<troupe::promise<reply>>(std::move(answer));
    next_.request(question{x.text + " from front"})
        .then([later](reply y) { later->answer(std::move(y)); },
              [later](const troupe::error& why) { later->fail(why.message); });
  }

private:
  troupe::handle<reply(question)> next_;
};

} // namespace plugins

TROUPE_APPLICATION(both) {
  both.deploy<plugins::back>("back");
  both.deploy<plugins::front>("front", [others = both.peers()] {
    return std::make_unique<plugins::front>(others.handle<plugins::reply(plugins::question)>("back"));
  });
}

TROUPE_APPLICATION(only_back) { only_back.deploy<plugins::back>("back"); }
