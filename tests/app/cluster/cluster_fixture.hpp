// A cluster on disk, and the times around the limits of its certificates.
#pragma once

#include <troupe/app/cluster/folder.hpp>
#include <troupe/app/cluster/proof.hpp>

#include <doctest/doctest.h>

#include <fixtures/files.hpp>
#include <string>
#include <sys/stat.h>
#include <vector>

namespace troupe::test {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

/// Everything is made at `now`; a cluster stands in `dir`.
class cluster_fixture {
public:
  static constexpr cluster::time_point now{std::chrono::sys_days{std::chrono::year{2026} / 3 / 1} + 12h};
  static constexpr auto day = std::chrono::days{1};

  cluster_fixture() { REQUIRE(cluster::init(dir, {.name = "prod", .controller_hosts = {}}, now).ok()); }

  /// A bundle of its own folder.
  fs::path bundle(cluster::role role, const std::string& name, int days = 365) {
    auto made = cluster::issue_bundle(dir, {.role = role, .name = name, .hosts = {}}, days,
                                      folder.path() / ("bundle" + std::to_string(++bundles)), now);
    REQUIRE(made.ok());
    return made->folder;
  }

  static std::shared_ptr<const cluster::identity> identity_of(const fs::path& bundle) {
    auto found = cluster::verify(bundle, std::nullopt, now);
    REQUIRE(found.self);
    return found.self;
  }

  static void write(const fs::path& file, const std::string& text) { overwrite_in_place(file, text); }
  static unsigned mode_of(const fs::path& file) {
    struct stat about {};
    REQUIRE(::stat(file.c_str(), &about) == 0);
    return about.st_mode & 0777U;
  }

  temporary_folder folder;
  fs::path dir = folder.path() / "cluster";
  int bundles = 0;
};

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

} // namespace troupe::test
