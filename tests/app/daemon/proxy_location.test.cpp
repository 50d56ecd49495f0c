// `proxy_location` across restarts of a daemon.
#include "app/library/library_fixture.hpp"
#include <troupe/app/daemon/applications.hpp>

#include <optional>

namespace troupe::daemon_proxy_location_test {

using namespace troupe;
using namespace troupe::test;
using namespace std::chrono_literals;

namespace {

config::document document(std::optional<config::proxy_location> proxies) {
  json text{{"applications", {{{"name", "a"}, {"import_path", "libweb.so:app"}, {"route_prefix", "/a"}}}}};
  if (proxies)
    text["proxy_location"] = config::to_string(*proxies);
  auto read = config::read_json(text);
  REQUIRE_MESSAGE(read.ok(), config::to_string(read.errors));
  return std::move(read.document);
}

struct daemon_files {
  daemon_files() {
    std::filesystem::create_directory(folder.path() / "lib");
    std::filesystem::copy_file(built_plugins() / "libweb.so", folder.path() / "lib" / "libweb.so");
  }
  temporary_folder folder;
};

/// One process on these files.
struct daemon_process {
  explicit daemon_process(const daemon_files& at)
      : db(at.folder.path() / "data"),
        files({.data_dir = at.folder.path() / "data", .code_dirs = {at.folder.path() / "lib"}}) {
    apps.restore({});
  }
  ~daemon_process() { db.freeze(); }
  daemon_process(const daemon_process&) = delete;
  daemon_process& operator=(const daemon_process&) = delete;

  storage::database db;
  library::store files;
  library::loader code{files, {}};
  std::size_t routes = 0, node_routes = 0;
  std::vector<std::string> errors;
  runtime rt{runtime_options{.store = {std::shared_ptr<void>{}, &db}}};
  daemon::applications apps{{.db = db,
                             .files = files,
                             .code = code,
                             .rt = rt,
                             .set_routes = [this](const auto& x) { routes = x.size(); },
                             .log =
                                 [this](log_level level, const std::string& text) {
                                   if (level == log_level::error)
                                     errors.push_back(text);
                                 },
                             .set_node_routes = [this](const auto& x) { node_routes = x.size(); }}};
};

constexpr auto head_only = config::proxy_location::head_only;
constexpr auto every_node = config::proxy_location::every_node;

} // namespace

TEST_CASE("a proxy location that was acknowledged holds after a restart, before anything is deployed") {
  const daemon_files files;
  {
    daemon_process p{files};
    REQUIRE(p.apps.deploy_all(document(head_only), false, false));
    CHECK(p.routes == 1);
    CHECK(p.node_routes == 0);
  }
  {
    const daemon_process p{files};
    CHECK(p.apps.proxies() == head_only);
    CHECK(p.routes == 1);
    CHECK(p.node_routes == 0);
  }
  {
    daemon_process p{files};
    REQUIRE(p.apps.deploy_all(document(every_node), false, false));
    CHECK(p.node_routes == 1);
  }
  const daemon_process p{files};
  CHECK(p.apps.proxies() == every_node);
  CHECK(p.node_routes == 1);
}

TEST_CASE("the file of a start sets the proxy location where it has one, else what was stored holds") {
  const daemon_files files;
  {
    daemon_process p{files};
    REQUIRE(p.apps.deploy_at_start(document(head_only)));
    CHECK(p.apps.proxies() == head_only);
  }
  daemon_process p{files};
  REQUIRE(p.apps.deploy_at_start(document(std::nullopt)));
  CHECK(p.apps.proxies() == head_only);
  REQUIRE(p.apps.deploy_at_start(document(every_node)));
  CHECK(p.apps.proxies() == every_node);
  CHECK(p.node_routes == 1);
}

TEST_CASE("a stored proxy location that nobody knows is told, and the default holds") {
  const daemon_files files;
  {
    storage::database db{files.folder.path() / "data"};
    REQUIRE(db.write_now({{"setting", "proxy_location", "Nowhere"}}).code == errc::none);
  }
  const daemon_process p{files};
  CHECK(p.apps.proxies() == every_node);
  REQUIRE(p.errors.size() == 1);
  CHECK(p.errors[0] == "proxy_location \"Nowhere\" is stored and not known: EveryNode holds");
}

} // namespace troupe::daemon_proxy_location_test
