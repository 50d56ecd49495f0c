// What the controller gives of its code, and what not, whoever asks.
#include <troupe/app/cluster/code_source.hpp>
#include <troupe/messages/registry.hpp>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/after.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <fixtures/files.hpp>
#include <string>
#include <variant>

namespace troupe::code_source_test {

namespace fs = std::filesystem;
using namespace troupe::test;
using answer = std::variant<code_missing, code_chunk>;

namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// Hands on what comes.
code_sink_actor::behavior_type sink(code_sink_actor::pointer, const caf::actor& to) {
  return {[to](const code_chunk& x) { caf::anon_send(to, x); }, [to](const code_missing& x) { caf::anon_send(to, x); }};
}

} // namespace

TEST_CASE("the source refuses what it cannot give, and lives on") {
  const temporary_folder folder;
  const auto code_dir = folder.path() / "lib";
  fs::create_directory(code_dir);
  fs::copy_file(fs::path{TROUPE_TEST_PLUGIN_DIR} / "libgreeter_1.so", code_dir / "libgreeter_1.so");
  library::store theirs{{.data_dir = folder.path() / "controller", .code_dirs = {code_dir}}};
  const auto stored = theirs.put("libgreeter_1.so:app");
  REQUIRE(stored.ok());
  const auto& greeter = stored->digest;

  caf::actor_system_config config;
  register_messages(config);
  caf::actor_system system{config};
  const auto source = cluster::spawn_code_source(system, theirs);
  caf::scoped_actor self{system};
  const auto to = system.spawn(sink, self);
  const auto answer_to = [&](const std::string& digest, std::uint64_t offset, std::uint64_t bytes) {
    caf::anon_send(source, ask_code_chunk{7, digest, offset, bytes, to});
    answer got;
    self->receive([&](code_chunk& x) { got = std::move(x); }, [&](code_missing& x) { got = std::move(x); },
                  caf::after(std::chrono::minutes{1}) >> [] { FAIL("no answer"); });
    return got;
  };
  const auto total = fs::file_size(theirs.file_with(greeter));
  fs::create_directory(theirs.folder() / (std::string(64, 'd') + ".so"));
  fs::create_symlink("/etc/passwd", theirs.folder() / (std::string(64, 'e') + ".so"));
  const auto refusal = [&](const std::string& digest, std::uint64_t offset, std::uint64_t bytes) {
    const auto got = answer_to(digest, offset, bytes);
    const auto* why = std::get_if<code_missing>(&got);
    REQUIRE(why);
    CHECK(why->ask == 7);
    return why->why;
  };
  for (const auto& no : {std::string{}, std::string{"../../etc/passwd"}, greeter.substr(1), std::string(64, 'A')})
    CHECK(refusal(no, 0, 100) == "what was asked for is no digest");
  CHECK(contains(refusal(std::string(64, '0'), 0, 100), "No such file"));
  CHECK(contains(refusal(std::string(64, 'd'), 0, 100), "is no file"));
  CHECK(contains(refusal(std::string(64, 'e'), 0, 100), "cannot read "));
  CHECK(contains(refusal(greeter, total, 100), "none at " + std::to_string(total)));
  CHECK(contains(refusal(greeter, ~0ULL, ~0ULL), "none at "));
  CHECK(contains(refusal(greeter, 0, 0), "nothing was asked for"));
  caf::anon_send(source, ask_code_chunk{8, greeter, 0, 100, {}}); // nobody to answer to

  const auto big = std::string(64, 'b');
  overwrite_in_place(theirs.file_with(big), std::string(cluster::max_code_chunk_bytes + 10, 'x'));
  const auto sizes = [&](std::uint64_t offset, std::uint64_t bytes) {
    const auto got = answer_to(big, offset, bytes);
    const auto* chunk = std::get_if<code_chunk>(&got);
    REQUIRE(chunk);
    CHECK(chunk->ask == 7);
    CHECK(chunk->total == cluster::max_code_chunk_bytes + 10);
    return chunk->bytes.size();
  };
  CHECK(sizes(0, 100) == 100);
  CHECK(sizes(0, ~0ULL) == cluster::max_code_chunk_bytes);
  CHECK(sizes(cluster::max_code_chunk_bytes, 11) == 10);
}

} // namespace troupe::code_source_test
