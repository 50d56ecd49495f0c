// Processes that end by user code, and what is known of it afterwards.
#include "app/library/library_fixture.hpp"
#include <troupe/app/library/crash_recorder.hpp>
#include <troupe/app/library/crash_text.hpp>
#include <troupe/app/library/file.hpp>

#include <array>
#include <csignal>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

using namespace troupe;
using namespace troupe::test;
using library::crash_record;
using library::crash_recorder;

namespace {

struct crash_fixture : library_fixture {
  crash_fixture() {
    install("crashing", "libcrashing.so");
    install("crashing_at_load", "libcrashing_at_load.so");
    std::filesystem::create_directory(data);
  }

  /// Returns the process's status as of waitpid.
  int run(const std::string& name, const std::string& where, const std::string& how) {
    const auto program = std::string{TROUPE_TEST_BIN_DIR} + "/crash_child";
    std::array<std::string, 6> words{program, data.string(), code_dir.string(), name, where, how};
    std::array<char*, 7> arguments{};
    for (std::size_t i = 0; i < words.size(); ++i)
      arguments[i] = words[i].data();
    posix_spawn_file_actions_t quiet;
    posix_spawn_file_actions_init(&quiet);
    posix_spawn_file_actions_addopen(&quiet, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t child = 0;
    REQUIRE(::posix_spawn(&child, program.c_str(), &quiet, nullptr, arguments.data(), environ) == 0);
    posix_spawn_file_actions_destroy(&quiet);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    return status;
  }

  crash_record only_record() const {
    const auto all = crash_recorder::read(data / "crashes");
    REQUIRE(all.size() == 1);
    return all[0];
  }

  const std::filesystem::path data = folder.path() / "child";
};

bool ended_by(int status, [[maybe_unused]] int signal) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) // their own handlers come next, and exit
  return WIFSIGNALED(status) || (WIFEXITED(status) && WEXITSTATUS(status) != 0);
#else
  return WIFSIGNALED(status) && WTERMSIG(status) == signal;
#endif
}

} // namespace

TEST_CASE_FIXTURE(crash_fixture, "a process that ends well leaves no record") {
  const auto status = run("libcrashing.so", "nowhere", "");
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(crash_recorder::read(data / "crashes").empty());
}

TEST_CASE_FIXTURE(crash_fixture, "a crash says whose code ran, and the process ends as it would have") {
  struct row {
    const char *where, *how, *cause;
    int signal;
  };
  for (const auto& x : {row{"constructor", "segv", "SIGSEGV", SIGSEGV}, row{"handler", "segv", "SIGSEGV", SIGSEGV},
                        row{"handler", "abort", "SIGABRT", SIGABRT}, row{"handler", "noexcept", "terminate", SIGABRT},
                        row{"constructor", "noexcept", "terminate", SIGABRT}}) {
    CAPTURE(std::string{x.where} + " " + x.how);
    std::filesystem::remove(data / "crashes");
    CHECK(ended_by(run("libcrashing.so", x.where, x.how), x.signal));
    const auto record = only_record();
    CHECK(record.cause == x.cause);
    CHECK(record.signal == x.signal);
    CHECK(record.what == x.where);
    CHECK(record.deployment == "text/crashing");
    CHECK(record.revision == 1);
    CHECK(record.replica > 0);
    CHECK(record.digest == library::sha256(read_whole(code_dir / "libcrashing.so")));
    CHECK(record.unix_ms > 1'600'000'000'000);
    CHECK(record.text == (record.cause == "terminate" ? "not allowed to leave" : ""));
  }
}

TEST_CASE_FIXTURE(crash_fixture, "a crash while a library is loaded names the application and the revision") {
  CHECK(ended_by(run("libcrashing_at_load.so", "load", ""), SIGSEGV));
  const auto record = only_record();
  CHECK(record.what == "load");
  CHECK(record.deployment == "text");
  CHECK(record.revision == 7);
  CHECK(record.digest == library::sha256(read_whole(code_dir / "libcrashing_at_load.so")));
}

TEST_CASE_FIXTURE(crash_fixture, "exit called by user code is told as such") {
  for (const auto* how : {"exit", "quick_exit", "_exit"}) {
    CAPTURE(how);
    std::filesystem::remove(data / "crashes");
    const auto status = run("libcrashing.so", "handler", how);
    CHECK(WIFEXITED(status));
    const auto record = only_record();
    CHECK(record.cause == "exit");
    CHECK(record.signal == 0);
    CHECK(record.what == "handler");
    CHECK(record.deployment == "text/crashing");
  }
}

TEST_CASE_FIXTURE(crash_fixture, "a crash on a thread of the library's own names the library") {
  CHECK(ended_by(run("libcrashing.so", "handler", "thread"), SIGSEGV));
  const auto record = only_record();
  CHECK(record.what.empty());
  CHECK(record.deployment.empty());
  CHECK(record.digest == library::sha256(read_whole(code_dir / "libcrashing.so")));
}

TEST_CASE_FIXTURE(crash_fixture, "an exhausted stack is recorded, too") {
  CHECK(ended_by(run("libcrashing.so", "handler", "stack"), SIGSEGV));
  CHECK(only_record().what == "handler");
  CHECK(only_record().deployment == "text/crashing");
}

TEST_CASE_FIXTURE(crash_fixture, "records of several crashes are read in their order") {
  run("libcrashing.so", "handler", "segv");
  run("libcrashing.so", "constructor", "abort");
  const auto all = crash_recorder::read(data / "crashes");
  REQUIRE(all.size() == 2);
  CHECK(all[0].what == "handler");
  CHECK(all[1].what == "constructor");
  CHECK(all[0].unix_ms <= all[1].unix_ms);
}

TEST_CASE("a recorder puts the handlers back, and there is one at a time") {
  const temporary_folder folder;
  struct sigaction before {};
  struct sigaction after {};
  ::sigaction(SIGSEGV, nullptr, &before);
  {
    const crash_recorder one{folder.path() / "crashes"};
    CHECK_THROWS_AS(crash_recorder{folder.path() / "crashes"}, std::logic_error);
  }
  ::sigaction(SIGSEGV, nullptr, &after);
  CHECK((before.sa_sigaction == after.sa_sigaction));
  CHECK_THROWS_AS(crash_recorder{folder.path() / "none" / "crashes"}, std::runtime_error);
}

TEST_CASE("a record that was cut off is left out, and the next one is whole") {
  const temporary_folder folder;
  const auto file = folder.path() / "crashes";
  overwrite_in_place(file, "\ncrash 1\ntime 12\nsignal 11\ncause SIGS");
  CHECK(crash_recorder::read(file).empty());
  CHECK(crash_recorder::read(folder.path() / "none").empty());
  library::crash_text text;
  text.begin();
  text.field("time", 18'446'744'073'709'551'615U);
  text.field("signal", 6);
  text.field("cause", "terminate");
  text.field("deployment", "a/b c");
  text.field("text", "two\nlines\nend");
  text.field("what", std::string(5000, 'x'));
  text.end();
  const auto fd = ::open(file.c_str(), O_WRONLY | O_APPEND);
  text.write_to(fd);
  ::close(fd);
  const auto all = crash_recorder::read(file);
  REQUIRE(all.size() == 1);
  CHECK(all[0].signal == 6);
  CHECK(all[0].deployment == "a/b c");
  CHECK(all[0].text == "two lines end");
  CHECK(all[0].what.size() > 1000);
}
