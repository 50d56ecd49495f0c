// A code directory with packages, a data directory with their copies.
#pragma once

#include "tar_builder.hpp"
#include <troupe/app/packages/store.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fixtures/files.hpp>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace troupe::test {

struct package_fixture {
  explicit package_fixture(packages::options o = {}) : asked(std::move(o)) {
    std::filesystem::create_directory(code_dir);
    asked.data_dir = folder.path() / "data";
    asked.code_dirs = {code_dir};
  }

  void write(const std::string& name, const std::string& bytes) const {
    std::filesystem::create_directories((code_dir / name).parent_path());
    std::ofstream{code_dir / name, std::ios::binary} << bytes;
  }

  packages::stored_package put(const std::string& package = "app.tar.gz") {
    auto out = store().put(package);
    REQUIRE_MESSAGE(out.ok(), out.why().message);
    return *out;
  }
  /// Why it is refused; nothing must be left of it then.
  error refused(const std::string& package = "app.tar.gz") {
    const auto out = store().put(package);
    REQUIRE(!out.ok());
    CHECK(copies().empty());
    return out.why();
  }
  std::string refused_tar(const tar_builder& x) {
    write("app.tar.gz", gzip(x.tar()));
    const auto why = refused();
    CHECK(why.code == errc::invalid_spec);
    CHECK(why.message.starts_with("app.tar.gz: "));
    return why.message;
  }

  packages::package_store& store() {
    if (!store_)
      store_ = std::make_unique<packages::package_store>(asked);
    return *store_;
  }
  /// All that is in the store's folder.
  std::vector<std::string> copies() const {
    std::vector<std::string> out;
    for (const auto& x : std::filesystem::directory_iterator{folder.path() / "data/packages"})
      out.push_back(x.path().filename());
    std::sort(out.begin(), out.end());
    return out;
  }

  temporary_folder folder;
  std::filesystem::path code_dir = folder.path() / "code";
  packages::options asked;

private:
  std::unique_ptr<packages::package_store> store_;
};

inline bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

} // namespace troupe::test
