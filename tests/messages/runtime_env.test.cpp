// What a runtime_env may say, and that every fault in it is told with its path.
#include <troupe/messages/runtime_env.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace troupe;

namespace {

std::vector<field_error> faults(const json& env, bool isolated = true) {
  std::vector<field_error> out;
  check_runtime_env(env, isolated, runtime_env_form::written, out);
  return out;
}

std::string only_path(const json& env) {
  const auto out = faults(env);
  REQUIRE(out.size() == 1);
  return out[0].path;
}

} // namespace

TEST_CASE("a whole runtime_env is read as it is written") {
  const json env{{"env_vars", {{"A", "1"}, {"_b2", ""}}},
                 {"working_dir", "/srv"},
                 {"library_path", {"/opt/a", "/opt/b"}},
                 {"limits", {{"memory", "1.5MiB"}, {"open_files", 64}, {"cpu_weight", 1}, {"core_dumps", true}}}};
  CHECK(faults(env).empty());
  const auto x = read_runtime_env(env);
  CHECK(x.env_vars == std::map<std::string, std::string>{{"A", "1"}, {"_b2", ""}});
  CHECK(x.working_dir == "/srv");
  CHECK(x.library_path == std::vector<std::string>{"/opt/a", "/opt/b"});
  CHECK(x.limit.memory_bytes == 1572864);
  CHECK(x.limit.open_files == 64);
  CHECK(x.limit.cpu_weight == 1);
  CHECK(x.limit.core_dumps);
}

TEST_CASE("an empty runtime_env asks for nothing, isolated or not; any other needs a process") {
  for (const auto& env : {json(nullptr), json::object()}) {
    CHECK(faults(env, false).empty());
    CHECK(faults(env, true).empty());
    CHECK(read_runtime_env(env).limit.cpu_weight == 100);
  }
  const auto out = faults({{"working_dir", "/srv"}}, false);
  REQUIRE(out.size() == 1);
  CHECK(out[0].path == "runtime_env");
  CHECK(out[0].allowed.find("isolation: process") != std::string::npos);
}

TEST_CASE("every fault is told with its path") {
  CHECK(only_path({{"env_vars", {{"1A", "x"}}}}) == "runtime_env.env_vars.1A");
  CHECK(only_path({{"env_vars", {{"A", 1}}}}) == "runtime_env.env_vars.A");
  CHECK(only_path({{"env_vars", {{"LD_LIBRARY_PATH", "/x"}}}}) == "runtime_env.env_vars.LD_LIBRARY_PATH");
  CHECK(only_path({{"working_dir", "relative"}}) == "runtime_env.working_dir");
  CHECK(only_path({{"library_path", {"/a", "b"}}}) == "runtime_env.library_path[1]");
  CHECK(only_path({{"library_path", {"/a:/b"}}}) == "runtime_env.library_path[0]");
  CHECK(only_path({{"pip", {"numpy"}}}) == "runtime_env.pip");
  CHECK(only_path({{"limits", {{"memry", 1}}}}) == "runtime_env.limits.memry");
  CHECK(only_path(json::array()) == "runtime_env");
  CHECK(faults({{"env_vars", 1}, {"working_dir", 2}, {"library_path", 3}, {"limits", 4}}).size() == 4);
}

TEST_CASE("paths within a package are relative to it, and stay in it") {
  CHECK(faults({{"package", "p.tar.gz"}, {"working_dir", "data"}, {"library_path", {"lib", "/opt/x"}}}).empty());
  CHECK(only_path({{"package", "p.tar.gz"}, {"working_dir", "../data"}}) == "runtime_env.working_dir");
  CHECK(only_path({{"package", "p.tar.gz"}, {"library_path", {"a/../../b"}}}) == "runtime_env.library_path[0]");
  CHECK(only_path({{"package", ""}}) == "runtime_env.package");
  CHECK(only_path({{"package", 1}}) == "runtime_env.package");
  CHECK(faults({{"package", nullptr}}).empty());
}

TEST_CASE("secrets in variables; the sealed form is no written one, and goes back to it") {
  const json secret{{"$secret", "a"}};
  const json sealed_secret{{"$secret", "a"}, {"$digest", "0123"}};
  const json written{{"env_vars", {{"A", secret}, {"B", "text"}}}, {"package", "p.tar.gz"}};
  const json sealed{{"env_vars", {{"A", sealed_secret}, {"B", "text"}}},
                    {"package", {{package_source, "p.tar.gz"}, {package_digest, "4567"}}}};
  const auto sealed_faults = [](const json& env) {
    std::vector<field_error> out;
    check_runtime_env(env, true, runtime_env_form::sealed, out);
    return out;
  };
  CHECK(faults(written).empty());
  CHECK(sealed_faults(sealed).empty());
  CHECK(faults(sealed).size() == 2);
  REQUIRE(sealed_faults(written).size() == 2); // as code would declare it
  for (const auto& x : sealed_faults(written))
    CHECK(x.allowed.find("belong into the config") != std::string::npos);
  CHECK(written_form(sealed) == written);
  CHECK(written_form(nullptr) == json(nullptr));
  CHECK(only_path({{"env_vars", {{"A", {{"$secret", 1}}}}}}) == "runtime_env.env_vars.A");
}

TEST_CASE("limits: just within and just outside") {
  const auto good = [](const char* name, const json& value) { return faults({{"limits", {{name, value}}}}).empty(); };
  CHECK(good("open_files", 64));
  CHECK_FALSE(good("open_files", 63));
  CHECK(good("open_files", 1'000'000));
  CHECK_FALSE(good("open_files", 1'000'001));
  CHECK(good("cpu_weight", 1));
  CHECK_FALSE(good("cpu_weight", 0));
  CHECK(good("cpu_weight", 10'000));
  CHECK_FALSE(good("cpu_weight", 10'001));
  CHECK(good("memory", 1));
  CHECK_FALSE(good("memory", 0));
  CHECK_FALSE(good("memory", "-1MiB"));
  CHECK_FALSE(good("memory", "MiB"));
  CHECK_FALSE(good("memory", "1 MiB"));
  CHECK_FALSE(good("memory", "nan"));
  CHECK(good("core_dumps", false));
  CHECK_FALSE(good("core_dumps", 0));
}

TEST_CASE("bytes are exact where they can be") {
  CHECK(to_bytes(4096) == 4096U);
  CHECK(to_bytes("4096") == 4096U);
  CHECK(to_bytes("1KiB") == 1024U);
  CHECK(to_bytes("2GB") == 2'000'000'000U);
  CHECK(to_bytes("1TiB") == std::uint64_t{1} << 40U);
  CHECK_FALSE(to_bytes("1e3"));
  CHECK_FALSE(to_bytes(json(1.5)));
}
