// User code that is given secrets, and tells them where it should not.
//   user_config: {"fail": true} makes reconfigure throw what it was given
#include "words.hpp"
#include <troupe/app/library/application.hpp>

#include <stdexcept>
#include <thread>

namespace plugins {

class vault {
public:
  void reconfigure(const troupe::json& config) {
    if (config.is_object() && config.value("fail", false))
      throw std::runtime_error("cannot take " + config.dump());
    config_ = config;
  }
  reply operator()(const question& x) {
    if (x.text == "throw")
      throw std::runtime_error("cannot use " + config_.dump());
    return {config_.dump(), 1, 0, 0, 0};
  }

protected:
  troupe::json config_;
};

/// For the daemon.
class web_vault : public vault {
public:
  troupe::response operator()(const troupe::request& x) {
    const auto text = config_.dump();
    if (x.path == "/throw")
      throw std::runtime_error("cannot use " + text);
    if (x.path == "/crash")
      std::thread{[&] { throw std::runtime_error("cannot use " + text); }}.join();
    return troupe::response::text(200, text);
  }
};

} // namespace plugins

TROUPE_APPLICATION(app) { app.deploy<plugins::vault>("vault"); }
TROUPE_APPLICATION(web) { web.deploy<plugins::web_vault>("vault"); }
