// The libraries as they are loaded.
#include "../speller.hpp"
#include <troupe/app/library/loader.hpp>
#include <troupe/messages/http.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <unistd.h>

using namespace std::chrono_literals;

TEST_CASE("libspellcheck.so answers HTTP, and version 2 takes over from it while it runs") {
  const auto data = std::filesystem::temp_directory_path() / ("spellcheck-library-" + std::to_string(getpid()));
  {
    troupe::library::store store{{.data_dir = data, .code_dirs = {SPELLCHECK_LIBRARY_DIR}}};
    troupe::library::loader loader{store, {}};
    troupe::runtime rt;
    const auto deploy = [&](const std::string& file, const std::string& version) {
      const auto put = store.put(file + ":app");
      REQUIRE_MESSAGE(put.ok(), put.why().message);
      auto loaded = loader.load({.digest = put->digest,
                                 .import_path = put->import_path,
                                 .application = "spellcheck",
                                 .args = {{"dictionary", "/usr/share/hunspell/en_US"}}});
      REQUIRE_MESSAGE(loaded.ok(), loaded.why().message);
      const auto& d = loaded->deployments.at(0);
      CHECK(d.is_ingress);
      rt.run(troupe::deployment_options{d.defaults}.version(version), d.user_code);
      return rt.wait_until_healthy("spellcheck/speller", 60s);
    };
    troupe::request question;
    question.method = "POST";
    question.body = "a frobnicate license";
    const auto ask = [&] {
      return rt.handle<troupe::response(troupe::request)>("spellcheck/speller").async(question).get();
    };
    REQUIRE(deploy("libspellcheck.so", "1"));
    CHECK(ask().body == "{\"edition\":0,\"unknown\":[\"frobnicate\"],\"version\":1,\"words\":3}\n");
    REQUIRE(deploy("versions/2/libspellcheck.so", "2"));
    const auto answer = troupe::json::parse(ask().body);
    CHECK(answer.at("version") == 2);
    CHECK(answer.at("unknown") == troupe::json{"frobnicate"});
    CHECK(!deploy("versions/3/libspellcheck.so", "3"));
    CHECK(rt.status("spellcheck/speller").message.find("grammar.db") != std::string::npos);
    CHECK(ask().status == 200);
    question.method = "GET";
    CHECK(ask().status == 405);
  }
  std::filesystem::remove_all(data);
}
