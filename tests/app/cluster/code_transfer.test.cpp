// Code on its way to a node: the controller's source and the node's cache, each with a store, in one actor system.
#include <troupe/app/cluster/code_cache.hpp>
#include <troupe/app/cluster/code_source.hpp>
#include <troupe/app/library/file.hpp>
#include <troupe/app/library/loader.hpp>
#include <troupe/messages/registry.hpp>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <fixtures/files.hpp>
#include <fixtures/full_disk.hpp>
#include <future>
#include <mutex>
#include <string>
#include <vector>

namespace troupe::code_transfer_test {

namespace fs = std::filesystem;
using namespace troupe::test;
using cluster::code_cache;
using outcome = std::optional<error>;

namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// What actors hand to the test. Shared with them.
template <class T>
class inbox {
public:
  void add(T x) {
    const std::lock_guard lock{guard_};
    content_.push_back(std::move(x));
    come_.notify_one();
  }
  T next() {
    std::unique_lock lock{guard_};
    REQUIRE(come_.wait_for(lock, std::chrono::minutes{1}, [&] { return !content_.empty(); }));
    auto out = std::move(content_.front());
    content_.pop_front();
    return out;
  }
  std::deque<T> all() {
    const std::lock_guard lock{guard_};
    return content_;
  }

private:
  std::mutex guard_;
  std::condition_variable come_;
  std::deque<T> content_;
};

using asks = std::shared_ptr<inbox<ask_code_chunk>>;

/// Notes what it is asked for; `next` answers.
code_source_actor::behavior_type listening(code_source_actor::pointer, asks to, code_source_actor next) {
  return {[to, next](const ask_code_chunk& x) {
    to->add(x);
    caf::anon_send(next, x);
  }};
}

/// Leaves the answers to the test.
code_source_actor::behavior_type silent(code_source_actor::pointer, asks to) {
  return {[to](const ask_code_chunk& x) { to->add(x); }};
}

/// Sends a byte that is wrong.
code_source_actor::behavior_type lying(code_source_actor::pointer, asks to) {
  return {[to](const ask_code_chunk& x) {
    to->add(x);
    caf::anon_send(x.to, code_chunk{x.ask, 1, "?"});
  }};
}

struct transfer_fixture {
  transfer_fixture() {
    fs::create_directories(code_dir / "one");
    for (const auto* file : {"one/libdep.so.1", "one/libuser_one.so", "libgreeter_1.so", "libgreeter_2.so"})
      fs::copy_file(plugins / file, code_dir / file);
    user_one = put("one/libuser_one.so:app");
    greeter = put("libgreeter_1.so:app");
  }

  std::string put(const std::string& import_path) {
    const auto answer = theirs.put(import_path);
    REQUIRE_MESSAGE(answer.ok(), answer.why().message);
    return answer->digest;
  }
  std::vector<code_file> files_of(const std::string& digest) const {
    std::vector<code_file> out;
    const auto stored = theirs.files(digest);
    REQUIRE(stored.ok());
    for (const auto& x : *stored)
      out.push_back({x.soname, x.digest, x.source});
    return out;
  }
  std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const auto& x : fs::directory_iterator{ours.folder()})
      if (!x.is_directory())
        out.push_back(x.path().filename());
    std::sort(out.begin(), out.end());
    return out;
  }

  std::future<outcome> need(code_cache& cache, std::uint64_t user, const std::string& digest) {
    return need(cache, user, digest, files_of(digest));
  }
  static std::future<outcome> need(code_cache& cache, std::uint64_t user, const std::string& digest,
                                   std::vector<code_file> files) {
    auto told = std::make_shared<std::promise<outcome>>();
    cache.need(user, digest, std::move(files), [told](outcome x) { told->set_value(std::move(x)); });
    return told->get_future();
  }
  static outcome wait(std::future<outcome> x) {
    REQUIRE(x.wait_for(std::chrono::minutes{1}) == std::future_status::ready);
    return x.get();
  }
  static void check_had(std::future<outcome> x) {
    const auto why = wait(std::move(x));
    CHECK_MESSAGE(!why, why->message);
  }
  static std::string failure(std::future<outcome> x) {
    const auto why = wait(std::move(x));
    REQUIRE(why);
    CHECK(why->code == errc::unavailable);
    return why->message;
  }

  struct configuration : caf::actor_system_config {
    configuration() { register_messages(*this); }
  };

  const fs::path plugins = TROUPE_TEST_PLUGIN_DIR;
  temporary_folder folder;
  fs::path code_dir = folder.path() / "lib";
  library::store theirs{{.data_dir = folder.path() / "controller", .code_dirs = {code_dir}}};
  library::store ours{{.data_dir = folder.path() / "node", .code_dirs = {}}};
  std::string user_one; ///< Brings libdep.so.1 along.
  std::string greeter;  ///< Alone.
  configuration config;
  caf::actor_system system{config};
  asks asked = std::make_shared<inbox<ask_code_chunk>>(); // before the system goes: it knows who asked
  code_source_actor source = cluster::spawn_code_source(system, theirs);
  nodes::fetch_limits small_chunks{.chunk_bytes = 10'000};
};

} // namespace

TEST_CASE_FIXTURE(transfer_fixture, "a library and what comes along are brought in chunks and can be loaded") {
  code_cache cache{system, ours, {.limits = small_chunks}};
  auto told = need(cache, 1, user_one);
  cache.connected(system.spawn(listening, asked, source));
  check_had(std::move(told));
  CHECK(asked->all().size() > 4);
  const auto files = ours.files(user_one);
  REQUIRE(files.ok());
  REQUIRE(files->size() == 2);
  for (const auto& x : *files)
    CHECK(library::sha256_of_file(x.file).value() == x.digest);
  CHECK(names().size() == 3);
  check_had(need(cache, 2, greeter));
  library::loader loader{ours, {}};
  const auto code = loader.load({.digest = greeter, .import_path = "libgreeter_1.so:app", .application = "text"});
  CHECK_MESSAGE(code.ok(), code.why().message);
}

TEST_CASE_FIXTURE(transfer_fixture, "what is there is had at once, also by the next process and without a controller") {
  {
    code_cache cache{system, ours};
    cache.connected(system.spawn(listening, asked, source));
    check_had(need(cache, 1, user_one));
    const auto before = asked->all().size();
    check_had(need(cache, 2, user_one));
    CHECK(asked->all().size() == before);
  }
  library::store later{ours.options()};
  code_cache next{system, later};
  check_had(need(next, 1, user_one));
}

TEST_CASE_FIXTURE(transfer_fixture, "two that need the same are told both, and it is brought once") {
  code_cache cache{system, ours};
  auto first = need(cache, 1, greeter);
  auto second = need(cache, 2, greeter);
  cache.connected(system.spawn(listening, asked, source));
  check_had(std::move(first));
  check_had(std::move(second));
  const auto all = asked->all();
  CHECK(std::count_if(all.begin(), all.end(), [](const auto& x) { return x.offset == 0; }) == 1);
}

TEST_CASE_FIXTURE(transfer_fixture, "wrong bytes are refused three times, then it fails and nothing is left") {
  code_cache cache{system, ours};
  cache.connected(system.spawn(lying, asked));
  const auto why = failure(need(cache, 1, greeter));
  CHECK(contains(why, "code " + greeter.substr(0, 12) + " cannot be had: its file " + greeter.substr(0, 12) + ": "));
  CHECK(contains(why, "what the controller sent is not " + greeter + ", 3 times; deploy the library again"));
  CHECK(asked->all().size() == 3);
  CHECK(names().empty());
  cache.connected(source);
  check_had(need(cache, 2, greeter));
}

TEST_CASE_FIXTURE(transfer_fixture, "nothing of a wrong and longer content is in the way of the right one") {
  code_cache cache{system, ours, {.limits = {.chunk_bytes = cluster::max_code_chunk_bytes}}};
  cache.connected(system.spawn(silent, asked));
  auto told = need(cache, 1, greeter);
  const auto first = asked->next();
  const auto longer = read_whole(theirs.file_with(greeter)) + "more";
  auto ask = first;
  do { // until it is asked for from its first byte again
    caf::anon_send(ask.to, code_chunk{ask.ask, longer.size(), longer.substr(ask.offset, ask.bytes)});
    ask = asked->next();
  } while (ask.offset != 0);
  cache.connected(source);
  check_had(std::move(told));
}

TEST_CASE_FIXTURE(transfer_fixture, "with another controller it goes on where the one before was lost") {
  code_cache cache{system, ours, {.limits = small_chunks}};
  auto told = need(cache, 1, greeter);
  cache.connected(system.spawn(silent, asked));
  const auto first = asked->next();
  caf::anon_send(source, first); // answered for it
  asked->next();                 // so the first chunk is here
  cache.disconnected();
  auto rest = std::make_shared<inbox<ask_code_chunk>>();
  cache.connected(system.spawn(listening, rest, source));
  check_had(std::move(told));
  for (const auto& x : rest->all())
    CHECK(x.offset > 0);
  CHECK(library::sha256_of_file(ours.file_with(greeter)).value() == greeter);
}

TEST_CASE_FIXTURE(transfer_fixture, "a file that the controller does not have fails the library, with what to do") {
  const auto files = files_of(user_one);
  fs::remove(theirs.file_with(files[0].digest));
  code_cache cache{system, ours};
  cache.connected(source);
  const auto why = failure(need(cache, 1, user_one, files));
  CHECK(contains(why, "code " + user_one.substr(0, 12) + " cannot be had: its file " + files[0].digest.substr(0, 12) +
                          " (" + files[0].source + "): the controller has no such code: cannot read "));
  CHECK(contains(why, "; deploy the library again"));
  check_had(need(cache, 2, greeter));
}

TEST_CASE_FIXTURE(transfer_fixture, "a full disk fails it, nothing is left, and with room again it is had") {
  code_cache cache{system, ours, {.limits = small_chunks}};
  cache.connected(source);
  {
    const full_disk no_room{25'000}; // in the middle of the third chunk
    const auto why = failure(need(cache, 1, greeter));
    CHECK(contains(why, "the node's disk: cannot write to " + ours.folder().string() + ": File too large"));
    CHECK(contains(why, "; make room there, or mend the disk, then deploy or restart"));
  }
  check_had(need(cache, 2, greeter)); // after the first one's file was removed
  CHECK(names() == std::vector<std::string>{greeter + ".so"});
}

TEST_CASE_FIXTURE(transfer_fixture, "a disk that is full with the last chunk does not put the file in its place") {
  std::string log; // of the cache's thread
  code_cache cache{system,
                   ours,
                   {.limits = {.chunk_bytes = cluster::max_code_chunk_bytes},
                    .log = [&](control::log_level, const std::string& line) { log += line + "\n"; }}};
  cache.connected(source);
  const full_disk no_room{1000};
  CHECK(contains(failure(need(cache, 1, greeter)), "cannot write to "));
  cache.stop();
  CHECK(names().empty());
  CHECK(contains(log, "cannot write to "));
  CHECK(!contains(log, "what the controller sent")); // a file that is not whole is not checked
}

TEST_CASE_FIXTURE(transfer_fixture, "a library that is larger than the cache may be is told") {
  code_cache cache{system, ours, {.limits = {.cache_bytes = 100}}};
  cache.connected(source);
  const auto why = failure(need(cache, 1, greeter));
  CHECK(contains(why, "no room on the node: "));
  CHECK(contains(why, "; allow the node more bytes for code, or run less of it there"));
}

TEST_CASE_FIXTURE(transfer_fixture, "what is not needed goes for what is, the longest unused first") {
  const auto other = put("libgreeter_2.so:app");
  const auto bytes = fs::file_size(theirs.file_with(greeter)) + fs::file_size(theirs.file_with(other));
  for (const auto& [digest, age] : {std::pair{greeter, 2}, {other, 1}}) {
    fs::copy_file(theirs.file_with(digest), ours.file_with(digest));
    fs::last_write_time(ours.file_with(digest), fs::file_time_type::clock::now() - std::chrono::hours{age});
  }
  code_cache cache{system, ours, {.limits = {.cache_bytes = bytes + 10'000}}};
  cache.connected(source);
  check_had(need(cache, 1, user_one));
  const auto left = names();
  CHECK(std::count(left.begin(), left.end(), greeter + ".so") == 0);
  CHECK(std::count(left.begin(), left.end(), other + ".so") == 1);
}

TEST_CASE_FIXTURE(transfer_fixture, "a start removes leftovers of fetches, and lists of files that had to go") {
  const auto leave = [&] {
    for (const auto& name : {std::string{"fetch-7"}, greeter + ".needs"})
      overwrite_in_place(ours.folder() / name, "library\t" + greeter + "\tx\n");
    overwrite_in_place(ours.folder() / "notes.so", "not ours");
  };
  leave();
  const library::store again{ours.options()};
  CHECK(names() == std::vector<std::string>{greeter + ".needs", "notes.so"});
  leave();
  code_cache{system, ours}.stop();
  CHECK(names() == std::vector<std::string>{"notes.so"});
}

TEST_CASE_FIXTURE(transfer_fixture, "chunks of impossible sizes fail what they are for and nothing else") {
  code_cache cache{system, ours, {.limits = small_chunks}};
  const std::string part(small_chunks.chunk_bytes, 'x');
  const std::vector<code_chunk> impossible{{0, 0, ""},         {0, 0, part}, {0, 20'000, ""},  {0, 20'000, part + "x"},
                                           {0, 20'000, "abc"}, {0, 3, part}, {0, ~0ULL, part}, {0, 9'999, part}};
  std::uint64_t user = 0;
  for (auto x : impossible) {
    cache.connected(system.spawn(silent, asked));
    auto told = need(cache, ++user, greeter);
    const auto ask = asked->next();
    x.ask = ask.ask;
    caf::anon_send(ask.to, x);
    caf::anon_send(ask.to, x); // once more: it was answered
    failure(std::move(told));
  }
  cache.connected(source);
  check_had(need(cache, ++user, greeter));
}

TEST_CASE_FIXTURE(transfer_fixture,
                  "files that are not those of the library are refused before anything is asked for") {
  code_cache cache{system, ours};
  cache.connected(system.spawn(listening, asked, source));
  for (auto files : {files_of(greeter), std::vector<code_file>{{{}, "../../etc/passwd", "x"}}, {}}) {
    static std::uint64_t user = 0;
    const auto why = wait(need(cache, ++user, user_one, std::move(files)));
    REQUIRE(why);
    CHECK(why->code == errc::invalid_spec);
  }
  CHECK(asked->all().empty());
}

TEST_CASE_FIXTURE(transfer_fixture, "who is dropped hears nothing, and what only it needed is removed") {
  code_cache cache{system, ours, {.limits = small_chunks}};
  auto told = need(cache, 1, user_one);
  cache.connected(system.spawn(silent, asked));
  caf::anon_send(source, asked->next());
  caf::anon_send(source, asked->next());
  for (int i = 0; i < 4; ++i)
    asked->next(); // both chunks are written: what follows is asked for
  CHECK(names().size() >= 1);
  cache.drop(1);
  cache.drop(1);
  cache.connected(source);
  check_had(need(cache, 2, greeter));
  CHECK(names() == std::vector<std::string>{greeter + ".so"});
  CHECK_THROWS_AS(told.get(), std::future_error); // the promise went without a value
}

TEST_CASE_FIXTURE(transfer_fixture, "stop in the middle tells who waits and leaves nothing half there") {
  code_cache cache{system, ours, {.limits = small_chunks}};
  cache.connected(system.spawn(silent, asked));
  auto begun = need(cache, 1, greeter);
  auto also = need(cache, 2, user_one);
  caf::anon_send(source, asked->next());
  for (int i = 0; i < 4; ++i)
    asked->next();
  CHECK(names().size() == 1);
  cache.stop();
  CHECK(names().empty());
  cache.stop();
  for (auto* x : {&begun, &also})
    CHECK(wait(std::move(*x)).value_or(error{}).code == errc::runtime_stopped);
  CHECK(wait(need(cache, 3, greeter)).value_or(error{}).code == errc::runtime_stopped);
  cache.drop(3);
  cache.connected(source);
  cache.disconnected();
}

} // namespace troupe::code_transfer_test
