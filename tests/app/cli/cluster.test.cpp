// `troupe cluster`: what the commands make, print and refuse. No daemon is asked.
#include "cli_world.hpp"
#include <troupe/app/cluster/bundle.hpp>

#include <fixtures/files.hpp>

namespace troupe::cluster_test {

using namespace troupe;

namespace {

bool has(const std::string& text, const std::string& piece) { return text.find(piece) != std::string::npos; }

struct cluster_world : cli_world {
  cluster_world() { variables["TROUPE_API_ADDRESS"] = "127.0.0.1:1"; }
  std::string dir() const { return (folder.path() / "c").string(); }
  cli_run in_dir(std::vector<std::string> words) {
    words.insert(words.end(), {"--dir", dir()});
    return run(words);
  }
  test::temporary_folder folder;
};

} // namespace

TEST_CASE("cluster init makes CAs and the controller's certificate, in the data directory unless told") {
  cluster_world w;
  const auto made = w.run({"cluster", "init", "--name", "prod"});
  REQUIRE_MESSAGE(made.code == 0, made.err);
  const auto dir = std::filesystem::path{w.variables["TROUPE_DATA_DIR"]} / "cluster";
  CHECK(has(made.out, "the CAs of cluster \"prod\" in " + dir.string()));
  CHECK(made.out.ends_with("Next: troupe cluster certificate --role node --name NAME\n"));
  CHECK(cluster::verify(dir / "controller", cluster::role::controller, std::chrono::system_clock::now()).self);
  const auto again = w.run({"cluster", "init"});
  CHECK(again.code == 1);
  CHECK(again.out == "");
  CHECK(has(again.err, "is not overwritten"));
}

TEST_CASE("cluster certificate makes a folder for a machine, cluster show lists it") {
  cluster_world w;
  REQUIRE(w.in_dir({"cluster", "init", "--host", "head.example", "--host", "10.0.0.1"}).code == 0);
  const auto out = (w.folder.path() / "out").string();
  const auto made = w.in_dir({"cluster", "certificate", "--role", "node", "--name", "n1", "--out", out});
  REQUIRE_MESSAGE(made.code == 0, made.err);
  CHECK(has(made.out, "of node \"n1\" in " + out));
  CHECK(cluster::verify(out, cluster::role::node, std::chrono::system_clock::now()).self);

  const auto shown = w.in_dir({"cluster", "show"});
  CHECK(shown.code == 0);
  CHECK(shown.err == "");
  CHECK(has(shown.out, "head.example, 10.0.0.1"));
  CHECK(has(shown.out, "n1"));
  const auto all = json::parse(w.in_dir({"cluster", "show", "--output", "json"}).out);
  CHECK(all["kind"] == "cluster");
  REQUIRE(all["certificates"].size() == 5);
  CHECK(all["certificates"][3]["hosts"] == json{"head.example", "10.0.0.1"});
  CHECK(all["certificates"][4]["role"] == "node");
  CHECK(all["certificates"][4]["name"] == "n1");
  CHECK(all["certificates"][4]["state"] == "good");
  CHECK(all["warnings"].empty());
  CHECK(all["errors"].empty());
  CHECK(json::parse(w.run({"cluster", "show", "--dir", out, "-o", "json"}).out)["kind"] == "bundle");
}

TEST_CASE("cluster show warns of an early end, and fails for what is broken") {
  cluster_world w;
  REQUIRE(w.in_dir({"cluster", "init", "--days", "20"}).code == 0);
  const auto soon = w.in_dir({"cluster", "show"});
  CHECK(soon.code == 0);
  CHECK(has(soon.out, "expires soon"));
  CHECK(has(soon.err, "troupe: warning: "));
  CHECK(has(soon.err, "troupe cluster certificate --role controller --name controller --out"));
  std::filesystem::remove(std::filesystem::path{w.dir()} / "controller" / "key.pem");
  const auto broken = w.in_dir({"cluster", "show", "--output", "json"});
  CHECK(broken.code == 1);
  CHECK(json::parse(broken.out)["errors"].size() == 1);
  const auto none = w.run({"cluster", "show", "--dir", w.folder.path().string()});
  CHECK(none.code == 1);
  CHECK(has(none.err, "troupe cluster init"));
}

TEST_CASE("cluster: mistakes on the command line end with 2 and make nothing") {
  cluster_world w;
  const auto refused = [&](std::vector<std::string> words, const std::string& piece) {
    CAPTURE(piece);
    const auto result = w.in_dir(words);
    CHECK(result.code == 2);
    CHECK(result.out == "");
    CHECK_MESSAGE(has(result.err, piece), result.err);
  };
  refused({"cluster", "certificate"}, "--role takes \"node\"");
  refused({"cluster", "certificate", "--role", "worker", "--name", "a"}, "not \"worker\"");
  refused({"cluster", "certificate", "--role", "node"}, "--name takes 1 to 64");
  refused({"cluster", "certificate", "--role", "node", "--name", "a/b"}, "not \"a/b\"");
  refused({"cluster", "certificate", "--role", "node", "--name", "a", "--host", "h:80"}, "--host takes a host name");
  refused({"cluster", "certificate", "--role", "node", "--name", "a", "--days", "0"}, "--days takes 1 to 36500");
  refused({"cluster", "init", "--days", "x"}, "days");
  refused({"cluster", "init", "--ca-days", "36501"}, "--ca-days takes 1 to 36500");
  refused({"cluster", "init", "--ca-days", "5"}, "--ca-days must not be less than --days");
  refused({"cluster", "init", "--name", ""}, "--name takes");
  refused({"cluster", "init", "extra"}, "one argument too many");
  CHECK(has(w.run({"cluster"}).err, "needs one of: init, certificate, show"));
  CHECK(w.run({"cluster", "show", "--dir", ""}).code == 2);
  CHECK_FALSE(std::filesystem::exists(w.dir()));
}

} // namespace troupe::cluster_test
