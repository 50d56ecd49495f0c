// The spell-checking deployment in troupe's simulated world: virtual time and a seeded order of events; one test adds
// seeded faults (control messages that come late or twice, slow user code) and kills a replica in the middle.
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

TEST_CASE("no question is lost while new words and version 2 come, and a dead replica's replacement knows the words") {
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

TEST_CASE("a replica killed during a rollout with late and copied messages takes no question with it") {
  const small_dictionary words;
  int under_way = 0;
  for_seeds(100, [&](world& w) {
    w.use({.copied_messages = 100, .delayed_messages = 100, .slow_user_code = 300});
    const troupe::json personal{{"edition", 1}, {"words", {"frobnicate"}}};
    w.run<speller>(spell(words, "1").user_config(personal));
    REQUIRE(w.settle());
    w.run<suggesting_speller>(spell(words, "2").user_config(personal));
    std::vector<decltype(ask(w))> answers;
    const auto fatal = w.chance().below(20);
    for (std::uint32_t turn = 0; turn < 20; ++turn) {
      const bool rolling = w.status("spell").rollout.phase == troupe::rollout_phase::rolling;
      for (int i = 0; i < 3; ++i)
        answers.push_back(ask(w));
      if (turn == fatal) {
        // Not `idempotent`: a speller answers at once, so that a death finds a question answered or not begun.
        for (auto steps = w.chance().below(8); steps > 0 && w.requests().lost() > 0; --steps)
          w.step();
        under_way += rolling && w.requests().lost() > 0 ? 1 : 0;
        REQUIRE(w.kill_one("spell"));
      }
      w.advance(w.chance().up_to(200ms));
    }
    REQUIRE(w.settle());
    CHECK(w.requests().lost() == 0);
    CHECK(w.requests().failed == 0);
    for (const auto& a : answers) {
      REQUIRE(a.ok());
      CHECK(a.value().edition == 1); // no replica takes questions before its personal dictionary
      CHECK(a.value().unknown.empty());
    }
    const auto after = w.status("spell");
    CHECK(after.state == troupe::deployment_state_name::healthy);
    for (const auto& r : after.replicas)
      CHECK(r.version == "2");
  });
  CHECK(under_way > 50); // of the deaths came with questions under way, in the middle of the rollout
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
