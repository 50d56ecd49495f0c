// The fuzzer's corpus of config files is read without a fault of ours.
#include "../../../fuzz/config_file.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

using namespace troupe;

TEST_CASE("every config of the fuzzer's corpus is read, and its good ones come back the same") {
  const auto folder = std::filesystem::path{TROUPE_TEST_SOURCE_DIR}.parent_path() / "fuzz" / "corpus" / "config";
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator{folder}) {
    std::ifstream in{entry.path(), std::ios::binary};
    fuzz::config_file(std::string{std::istreambuf_iterator<char>{in}, {}});
    ++files;
  }
  CHECK(files >= 7);
  CHECK(config::read_file(folder / "whole.yaml").ok());
  CHECK(config::read_file(folder / "ray.json").ok());
}
