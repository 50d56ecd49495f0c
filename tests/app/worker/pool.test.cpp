// The pool and workers that do not do what they should: silent ones, early ends, a hello that comes twice.
#include <troupe/app/worker/environment.hpp>
#include <troupe/app/worker/pool_loop.hpp>

#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <doctest/doctest.h>

#include <fixtures/files.hpp>
#include <future>
#include <string>

using namespace troupe;
using namespace troupe::test;

namespace {

worker_host_actor::behavior_type deaf(worker_host_actor::pointer) {
  return {[](const start_worker_replica&) {},   [](const drop_worker_replica&) {},
          [](const abandon_worker_replica&) {}, [](end_worker) {},
          [](const orphan_replicas&) {},        [](drop_orphans) {}};
}

/// A pool's thread whose workers are `program`, and one replica's view of it.
struct pool_fixture {
  explicit pool_fixture(std::string program) : made(options_of(std::move(program))) {
    made.start([] { return std::uint16_t{1}; });
  }
  ~pool_fixture() { made.stop(); }

  worker::worker_pool_options options_of(std::string program) const {
    worker::worker_pool_options x;
    x.program = std::move(program);
    x.data_dir = folder.path();
    x.hello_patience = std::chrono::milliseconds{50};
    return x;
  }

  std::string why_not_described() {
    std::promise<std::string> answer;
    made.post([&] { made.describe({}, [&](result<json> x) { answer.set_value(x ? "described" : x.why().message); }); });
    return answer.get_future().get();
  }

  /// The replica's place; its number is that of its worker, too, where this comes first.
  void attach(std::uint64_t place) {
    made.post([this, place] { made.attach({place, 1, 1}, code, caf::actor_cast<caf::strong_actor_ptr>(self)); });
  }
  worker_hello hello(std::uint64_t number) {
    worker_hello x;
    x.worker = number;
    x.wire_version = worker_wire_version;
    x.host = system.spawn(deaf);
    return x;
  }
  /// "assigned <place>", or how its worker was lost.
  std::string next_word() {
    std::string word;
    self->receive(
        [&](const replica::worker_assigned& x) {
          word = x.host ? "assigned " + std::to_string(x.place) : "assigned nothing";
        },
        [&](const replica::worker_lost& x) { word = "lost: " + x.how; },
        caf::after(std::chrono::seconds{60}) >> [&] { word = "nothing"; });
    return word;
  }

  temporary_folder folder;
  caf::actor_system_config config;
  caf::actor_system system{config};
  caf::scoped_actor self{system};
  struct no_source final : replica::worker_source {
    void attach(replica::worker_place, std::shared_ptr<const replica::remote_code>, caf::strong_actor_ptr) override {}
    void detach(std::uint64_t) override {}
    void kill(std::uint64_t, std::string) override {}
  } nobody;
  std::shared_ptr<const worker::worker_code> code =
      std::make_shared<worker::worker_code>(nobody, worker::launch{}, "d", code_traits{}, 1U, nullptr);
  worker::pool_loop made;
};

} // namespace

TEST_CASE("a worker that never says hello is killed, and the deploy told; what it prints is not waited for") {
  pool_fixture all{"/usr/bin/yes"}; // prints without end
  const auto why = all.why_not_described();
  CHECK_MESSAGE(why.find("did not say hello within 50 ms") != std::string::npos, why);
}

TEST_CASE("a program that ends at once, or is not there, is told with what it said") {
  {
    pool_fixture all{"/bin/cat"};
    const auto why = all.why_not_described();
    CHECK_MESSAGE(why.find("exit code 1") != std::string::npos, why);
    CHECK_MESSAGE(why.find("worker: No such file") != std::string::npos, why);
    all.attach(1);
    CHECK(all.next_word().find("exit code 1") != std::string::npos);
  }
  pool_fixture none{"/not/there"};
  CHECK(none.why_not_described().find("/not/there") != std::string::npos);
}

TEST_CASE("a second hello, and one for a worker that is not there, are not heard") {
  pool_fixture all{"/usr/bin/yes"};
  all.attach(1);
  all.made.post([&] { all.made.greet(all.hello(77)); });
  all.made.post([&] { all.made.greet(all.hello(1)); });
  CHECK(all.next_word() == "assigned 1");
  all.made.post([&] { all.made.greet(all.hello(1)); });
  all.made.post([&] { all.made.kill(1, "the test is over"); }); // its replica hears nothing of that
  all.attach(2);
  all.made.post([&] { all.made.greet(all.hello(2)); });
  CHECK(all.next_word() == "assigned 2"); // the second place's, nothing was in between
}

TEST_CASE("a worker that speaks another version is killed with a reason") {
  pool_fixture all{"/usr/bin/yes"};
  all.attach(1);
  all.made.post([&] {
    auto x = all.hello(1);
    x.wire_version = worker_wire_version + 1;
    all.made.greet(std::move(x));
  });
  const auto word = all.next_word();
  CHECK_MESSAGE(word.find("it speaks version") != std::string::npos, word);
}

TEST_CASE("an environment without its secrets or its package is told") {
  const json package{{"package", {{"source", "p.tar.gz"}, {"digest", std::string(64, '0')}}}};
  const auto no_package = worker::resolve_environment(package, nullptr, nullptr);
  REQUIRE(!no_package);
  CHECK(no_package.why().message.find("p.tar.gz") != std::string::npos);
  const json secret{{"env_vars", {{"A", {{"$secret", "a"}, {"$digest", "0"}}}}}};
  CHECK(!worker::resolve_environment(secret, nullptr, nullptr));
  const json plain{{"env_vars", {{"A", "b"}}}, {"working_dir", "/srv"}};
  CHECK(*worker::resolve_environment(plain, nullptr, nullptr) == plain);
  CHECK(*worker::resolve_environment(nullptr, nullptr, nullptr) == json(nullptr));
}
