// A code directory and a data directory of one test, with the test libraries to copy from.
#pragma once

#include "plugins/words.hpp"
#include <troupe/app/library/loader.hpp>
#include <troupe/app/library/store.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <fixtures/files.hpp>
#include <string>

namespace troupe::test {

inline std::filesystem::path built_plugins() { return TROUPE_TEST_PLUGIN_DIR; }

struct library_fixture {
  library_fixture() { std::filesystem::create_directory(code_dir); }

  /// `libspell.so` in the code directory, as the test library `plugin`.
  void install(const std::string& plugin, const std::string& as = "libspell.so") const {
    std::filesystem::copy_file(built_plugins() / ("lib" + plugin + ".so"), code_dir / as,
                               std::filesystem::copy_options::overwrite_existing);
  }

  std::string put(const std::string& import_path = "libspell.so:app") {
    const auto answer = from.put(import_path);
    REQUIRE_MESSAGE(answer.ok(), answer.why().message);
    return answer->digest;
  }

  std::string put_error(const std::string& import_path = "libspell.so:app") {
    const auto answer = from.put(import_path);
    REQUIRE(!answer.ok());
    return answer.why().message;
  }

  result<library::application_code> try_load(const std::string& digest, json args = nullptr) {
    return into.load(
        {.digest = digest, .import_path = "libspell.so:app", .application = "text", .args = std::move(args)});
  }

  library::application_code load(const std::string& digest, json args = nullptr) {
    auto answer = try_load(digest, std::move(args));
    REQUIRE_MESSAGE(answer.ok(), answer.why().message);
    return std::move(*answer);
  }

  std::string load_error(const std::string& digest) {
    const auto answer = try_load(digest);
    REQUIRE(!answer.ok());
    return answer.why().message;
  }

  temporary_folder folder;
  std::filesystem::path code_dir = folder.path() / "lib";
  library::store from{{.data_dir = folder.path() / "data", .code_dirs = {code_dir}}};
  library::loader into{from, {}};
};

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

} // namespace troupe::test
