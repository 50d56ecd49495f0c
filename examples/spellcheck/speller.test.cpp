// The spell-checking deployment in troupe's simulated world: virtual time, seeded order of events and seeded faults.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include "speller.hpp"

#include <troupe/testing/world.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>
#include <vector>

using namespace spellcheck;
using namespace std::chrono_literals;
using troupe::deployment_options;
using troupe::testing::for_seeds;
using troupe::testing::world;

namespace {

/// A dictionary of three words: the real one takes 30 ms to load, and thousands of replicas are made here.
class small_dictionary {
public:
  small_dictionary() {
    std::filesystem::create_directory(folder_);
    std::ofstream{path() + ".aff"} << "SET UTF-8\nTRY esianrtolcdugmphbyfvkwz\n";
    std::ofstream{path() + ".dic"} << "3\nhello\nworld\nlicence\n";
  }
  small_dictionary(const small_dictionary&) = delete;
  small_dictionary& operator=(const small_dictionary&) = delete;
  ~small_dictionary() { std::filesystem::remove_all(folder_); }

  std::string path() const { return (folder_ / "tiny").string(); }

private:
  std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("troupe-speller-test-" + std::to_string(getpid()));
};

deployment_options spell(const small_dictionary& from, const char* version) {
  return deployment_options{"spell"}.version(version).num_replicas(5).init_args({{"dictionary", from.path()}});
}

auto ask(world& w) { return w.request<spelling(passage)>("spell", passage{"hello frobnicate world"}); }

} // namespace

TEST_CASE("through a rollout, a new dictionary and a death no question is lost, in any order of events") {
  const small_dictionary words;
  for_seeds(200, [&](world& w) {
    w.run<speller>(spell(words, "1"));
    std::vector<decltype(ask(w))> answers;
    const auto some = [&] {
      for (int i = 0; i < 5; ++i)
        answers.push_back(ask(w));
    };
    some();
    w.run<speller>(spell(words, "1").user_config({{"edition", 1}, {"words", {"frobnicate"}}}));
    some();
    w.run<suggesting_speller>(spell(words, "2").user_config({{"edition", 1}, {"words", {"frobnicate"}}}));
    some();
    REQUIRE(w.settle());
    CHECK(w.requests().lost() == 0);
    CHECK(w.requests().failed == 0);
    for (const auto& a : answers)
      CHECK(a.value().words == 3);

    w.kill_one("spell");
    REQUIRE(w.settle());
    CHECK(w.status("spell").available == 5);
    const auto last = ask(w);
    REQUIRE(w.settle());
    CHECK(last.value().version == 2);
    CHECK(last.value().edition == 1);
    CHECK(last.value().unknown.empty()); // the personal dictionary reached the replica that replaced the dead one
  });
}

TEST_CASE("a version that cannot open its data is rolled back, and the old one goes on answering") {
  const small_dictionary words;
  world w;
  w.run<speller>(spell(words, "1"));
  REQUIRE(w.settle());
  w.run<broken_speller>(spell(words, "3"));
  REQUIRE(w.settle());
  const auto after = w.status("spell");
  CHECK(after.state == troupe::deployment_state_name::deploy_failed);
  CHECK(after.message.find("grammar.db") != std::string::npos);
  CHECK(after.available == 5);
  const auto answer = ask(w);
  REQUIRE(w.settle());
  CHECK(answer.value().version == 1);
  CHECK(answer.value().unknown == std::vector<std::string>{"frobnicate"});
}
