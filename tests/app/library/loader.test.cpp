// Versions side by side in one process: the rows of what silently goes wrong without private copies, each as a test.
#include "app/library/library_fixture.hpp"
#include <troupe/app/library/runtime_lookup.hpp>
#include <troupe/messages/http.hpp>
#include <troupe/troupe.hpp>

#include <atomic>
#include <thread>
#include <vector>

using namespace troupe;
using namespace troupe::test;
using namespace std::chrono_literals;
using plugins::question;
using plugins::reply;

namespace {

constexpr auto long_time = 60s;

/// Code of a load, run by a runtime.
class running {
public:
  void run(const library::application_code& code, const std::string& version) {
    for (const auto& d : code.deployments)
      rt.run(deployment_options{d.defaults}.version(version), d.user_code);
    for (const auto& d : code.deployments)
      REQUIRE(rt.wait_until_healthy(d.defaults.full_name(), long_time));
  }
  reply ask(const std::string& deployment = "text/greeter", const std::string& text = "hello") {
    return rt.handle<reply(question)>(deployment).async(question{text}).get();
  }
  runtime rt;
};

/// One object of a load, without a runtime.
reply ask_one(const library::application_code& code) {
  running alone;
  alone.run(code, "1");
  return alone.ask();
}

} // namespace

TEST_CASE_FIXTURE(library_fixture, "two builds of one path run side by side, each with its own static data") {
  install("greeter_1");
  const auto one = load(put());
  install("greeter_2");
  const auto two = load(put());
  for (const auto& [code, version] : {std::pair{&one, 1}, {&two, 2}, {&one, 1}}) {
    const auto answer = ask_one(*code);
    CHECK(answer.version == version);
    CHECK(answer.from_inline == version);
    CHECK(answer.from_template == version);
    CHECK(answer.text == "greeter " + std::to_string(version) + ": hello"); // not this program's who_am_i
  }
}

TEST_CASE_FIXTURE(library_fixture, "a file that is renamed over is loaded anew") {
  install("greeter_1");
  const auto one = load(put());
  install("greeter_2", "next.so");
  std::filesystem::rename(code_dir / "next.so", code_dir / "libspell.so");
  CHECK(ask_one(load(put())).version == 2);
  CHECK(ask_one(one).version == 1);
}

TEST_CASE_FIXTURE(library_fixture,
                  "a file that is overwritten in place, or emptied, while its code runs harms nothing") {
  install("greeter_1");
  const auto one = load(put());
  overwrite_in_place(code_dir / "libspell.so", read_whole(built_plugins() / "libgreeter_2.so"));
  CHECK(ask_one(one).version == 1);
  const auto two = load(put());
  overwrite_in_place(code_dir / "libspell.so", "");
  CHECK(ask_one(one).version == 1);
  CHECK(ask_one(two).version == 2);
}

TEST_CASE_FIXTURE(library_fixture,
                  "the same content loaded twice has fresh static data; replicas of one load share it") {
  install("greeter_1");
  const auto digest = put();
  CHECK(put() == digest);
  const auto first = load(digest), second = load(digest);
  CHECK(first.load_number != second.load_number);
  running both;
  both.run(first, "1"); // two replicas
  CHECK(both.ask().count == 1);
  CHECK(both.ask().count == 2);
  CHECK(both.ask().count == 3);
  CHECK(ask_one(second).count == 1);
  CHECK(both.ask().count == 4);
}

TEST_CASE_FIXTURE(library_fixture,
                  "an exception type of a library reaches its caller as text, and a throwing constructor "
                  "is a failed start") {
  install("greeter_1");
  const auto code = load(put());
  running x;
  x.run(code, "1");
  try {
    x.ask("text/greeter", "throw");
    FAIL("answered");
  } catch (const request_failed& e) {
    CHECK(e.code() == errc::handler_failed);
    CHECK(e.why().message == "no answer from version 1");
  }
  auto bad = deployment_options{code.deployments[0].defaults}.version("2").init_args({{"fail", "no model"}});
  x.rt.run(bad.progress_deadline(120s), code.deployments[0].user_code);
  CHECK(!x.rt.wait_until_healthy("text/greeter", long_time));
  CHECK(contains(x.rt.status("text/greeter").message, "cannot start: no model"));
  CHECK(x.ask().version == 1); // rolled back
}

TEST_CASE_FIXTURE(library_fixture, "a rollout from one build of a file to the next loses no request") {
  install("greeter_1");
  running x;
  x.run(load(put(), {{"replicas", 5}}), "1");
  std::atomic<bool> go_on{true};
  std::atomic<int> wrong{0}, failed{0}, of_1{0}, of_2{0};
  std::vector<std::thread> callers;
  for (int i = 0; i < 2; ++i)
    callers.emplace_back([&] {
      const auto h = x.rt.handle<reply(question)>("text/greeter");
      while (go_on) {
        try {
          const auto a = h.async(question{"hello"}).get();
          ++(a.version == 1 ? of_1 : of_2);
          // Code, static data and answer are of one version.
          if (a.from_inline != a.version || a.from_template != a.version ||
              a.text != "greeter " + std::to_string(a.version) + ": hello")
            ++wrong;
        } catch (const request_failed&) {
          ++failed;
        }
      }
    });
  const auto seen = [](std::atomic<int>& count) {
    while (count == 0)
      std::this_thread::yield();
  };
  seen(of_1);
  overwrite_in_place(code_dir / "libspell.so", read_whole(built_plugins() / "libgreeter_2.so"));
  x.run(load(put(), {{"replicas", 5}}), "2");
  seen(of_2);
  CHECK(x.ask().version == 2);
  go_on = false;
  for (auto& t : callers)
    t.join();
  CHECK(wrong == 0);
  CHECK(failed == 0);
}

TEST_CASE_FIXTURE(library_fixture, "deployments of a library find each other by name, within their application") {
  install("pair");
  running x;
  const auto lookup = std::make_shared<library::runtime_lookup>(x.rt, "text");
  from.put("libspell.so:both");
  auto code_of_both = into.load({.digest = put("libspell.so:both"),
                                 .import_path = "libspell.so:both",
                                 .application = "text",
                                 .others = peers{lookup}});
  REQUIRE(code_of_both.ok());
  REQUIRE(code_of_both->deployments.size() == 2);
  CHECK(code_of_both->deployments[0].defaults.full_name() == "text/back");
  CHECK(!code_of_both->deployments[1].is_ingress);
  x.run(*code_of_both, "1");
  CHECK(x.ask("text/front").text == "back heard hello from front");
  lookup->close();
  CHECK_THROWS_AS(peers{lookup}.handle<reply(question)>("back"), command_failed);
}

TEST_CASE_FIXTURE(library_fixture, "the ingress is the last deployment that answers HTTP, or the chosen one") {
  install("web");
  const auto digest = put();
  const auto ingress_of = [&](json args) {
    std::string names;
    for (const auto& d : load(digest, std::move(args)).deployments)
      names += d.is_ingress ? d.defaults.name : "";
    return names;
  };
  CHECK(ingress_of(nullptr) == "index");
  CHECK(ingress_of("page") == "page");
  CHECK(contains(try_load(digest, "helper").why().message, "its ingress \"helper\" does not answer HTTP"));
  running x;
  x.run(load(digest), "1");
  request r;
  r.method = "GET";
  r.path = "/a";
  CHECK(x.rt.handle<response(request)>("text/index").async(r).get().body == "GET /a");
}

TEST_CASE_FIXTURE(library_fixture,
                  "a private dependency comes along as a copy; another build of its SONAME is refused") {
  for (const auto* folder_name : {"one", "two"}) {
    std::filesystem::create_directory(code_dir / folder_name);
    for (const auto* file : {"libdep.so.1", "libuser_"}) {
      auto name = std::string{file};
      if (name == "libuser_")
        name += std::string{folder_name} + ".so";
      std::filesystem::copy_file(built_plugins() / folder_name / name, code_dir / folder_name / name);
    }
  }
  const auto one = put("one/libuser_one.so:app"), two = put("two/libuser_two.so:app");
  const auto load_of = [&](const std::string& digest, const std::string& import) {
    return into.load({.digest = digest, .import_path = import, .application = "text"});
  };
  const auto first = load_of(one, "one/libuser_one.so:app");
  REQUIRE_MESSAGE(first.ok(), first.why().message);
  std::filesystem::remove_all(code_dir / "one"); // only private copies are used
  running x;
  x.run(*first, "1");
  CHECK(x.ask("text/user").version == 1);
  CHECK(x.ask("text/user").from_inline == 7); // its initialiser has run
  CHECK(into.loaded().copies == 2);

  const auto refused = load_of(two, "two/libuser_two.so:app");
  REQUIRE(!refused.ok());
  CHECK(refused.code() == errc::rejected);
  const auto text = refused.why().message;
  CHECK(contains(text, "two/libuser_two.so: needs libdep.so.1 as in " + (code_dir / "two/libdep.so.1").string()));
  CHECK(contains(text, "from " + (code_dir / "one/libdep.so.1").string()));
  CHECK(contains(text, "isolation: process"));

  std::filesystem::copy_file(
      built_plugins() / "one/libuser_one.so",
      code_dir / "libspell.so"); // alone: its dependency is not there, and must not be that of another library
  const auto alone = load_of(put(), "libspell.so:app");
  REQUIRE(!alone.ok());
  CHECK(contains(alone.why().message, "libspell.so: needs libdep.so.1, which is not beside it; the one from "));

  const auto again = load_of(one, "one/libuser_one.so:app"); // the same bytes: shared
  REQUIRE_MESSAGE(again.ok(), again.why().message);
  CHECK(into.loaded().copies == 3);
  CHECK(x.ask("text/user").version == 1);
}

TEST_CASE_FIXTURE(library_fixture, "another build of a dependency is another digest of the library") {
  std::filesystem::create_directory(code_dir / "one");
  for (const auto* file : {"libdep.so.1", "libuser_one.so"})
    std::filesystem::copy_file(built_plugins() / "one" / file, code_dir / "one" / file);
  const auto before = put("one/libuser_one.so:app");
  overwrite_in_place(code_dir / "one/libdep.so.1", read_whole(built_plugins() / "two/libdep.so.1"));
  CHECK(put("one/libuser_one.so:app") != before);
}

TEST_CASE_FIXTURE(library_fixture, "a dependency that is missing, or outside of the code directories, is told") {
  std::filesystem::copy_file(built_plugins() / "gone/libuser_gone.so", code_dir / "libspell.so");
  CHECK(contains(load_error(put()), "libspell.so: needs libabsent.so.1, which is neither beside it"));
  std::filesystem::create_symlink(built_plugins() / "gone/away/libabsent.so.1", code_dir / "libabsent.so.1");
  CHECK(contains(put_error(), "needs libabsent.so.1, which is outside of the code directories"));
}

TEST_CASE_FIXTURE(library_fixture, "beyond the budget nothing is loaded, and the usage says what is") {
  install("greeter_1");
  const auto digest = put();
  library::loader two{from, {.max_copies = 2}};
  const library::load_request what{.digest = digest, .import_path = "libspell.so:app", .application = "text"};
  REQUIRE(two.load(what).ok());
  REQUIRE(two.load(what).ok());
  const auto refused = two.load(what);
  REQUIRE(!refused.ok());
  CHECK(refused.code() == errc::rejected);
  CHECK(contains(refused.why().message, "libspell.so: the budget of loaded code is used up: 2 of 2 copies"));
  CHECK(contains(refused.why().message, "restart the daemon, which keeps all deployments, or raise code_budget"));
  const auto usage = two.loaded();
  CHECK(usage.copies == 2);
  CHECK(usage.bytes == 2 * std::filesystem::file_size(code_dir / "libspell.so"));
  REQUIRE(usage.each.size() == 2);
  CHECK(usage.each[0].digest == digest);
  CHECK(usage.each[0].application == "text");
  CHECK(usage.each[1].begin < usage.each[1].end);

  library::loader small{from, {.max_bytes = usage.bytes / 2 + 1}};
  const auto only = small.load(what);
  REQUIRE(only.ok());
  CHECK(contains(small.load(what).why().message, "1 of 200 copies"));
  CHECK(ask_one(*only).count == 1); // fresh, although this loader's first one
}

TEST_CASE_FIXTURE(library_fixture, "many threads load at once") {
  install("greeter_1");
  const auto one = put();
  install("greeter_2");
  const auto two = put();
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&, i] {
      for (int k = 0; k < 4; ++k)
        if (try_load((i + k) % 2 == 0 ? one : two).ok())
          ++good;
    });
  for (auto& t : threads)
    t.join();
  CHECK(good == 16);
  CHECK(into.loaded().copies == 16);
}
