// What the data directory holds of users' code.
#include "app/library/library_fixture.hpp"
#include <troupe/app/library/file.hpp>

#include <algorithm>
#include <vector>

using namespace troupe;
using namespace troupe::test;

namespace {

std::vector<std::string> names_in(const std::filesystem::path& folder) {
  std::vector<std::string> out;
  for (const auto& x : std::filesystem::directory_iterator{folder})
    if (!x.is_directory())
      out.push_back(x.path().filename());
  std::sort(out.begin(), out.end());
  return out;
}

} // namespace

TEST_CASE_FIXTURE(library_fixture, "what is put is kept under the digest of its content, once") {
  CHECK(library::sha256("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"); // FIPS 180-2
  install("greeter_1");
  const auto first = from.put("libspell.so:app");
  REQUIRE(first.ok());
  CHECK(first->digest == library::sha256(read_whole(code_dir / "libspell.so")));
  CHECK(first->bytes == std::filesystem::file_size(code_dir / "libspell.so"));
  CHECK(first->symbol == "app");
  CHECK(first->source == code_dir / "libspell.so");
  CHECK(first->applications == std::vector<std::string>{"app"});
  install("greeter_1", "other_name.so");
  CHECK(put("other_name.so:app") == first->digest);
  CHECK(names_in(folder.path() / "data/code") == std::vector<std::string>{first->digest + ".so"});
}

TEST_CASE_FIXTURE(library_fixture, "a store opened again has it, also when the user's file is gone") {
  install("greeter_1");
  const auto digest = put();
  std::filesystem::remove(code_dir / "libspell.so");
  library::store again{from.options()};
  CHECK(again.contains(digest));
  library::loader next{again, {}};
  CHECK(next.load({.digest = digest, .import_path = "libspell.so:app", .application = "text"}).ok());
}

TEST_CASE_FIXTURE(library_fixture, "a stored copy that is missing or damaged is told, and put again is mended") {
  install("greeter_1");
  const auto digest = put();
  const auto file = folder.path() / "data/code" / (digest + ".so");
  overwrite_in_place(file, "not what it was");
  CHECK(contains(load_error(digest), "is damaged (its content has another digest); deploy the library again"));
  CHECK(put() == digest);
  CHECK(load(digest).deployments.size() == 1);
  std::filesystem::remove(file);
  CHECK(!from.contains(digest));
  CHECK(contains(load_error(digest), "the stored code " + digest + " is not there"));
}

TEST_CASE_FIXTURE(library_fixture, "only what revisions need is kept, with what it brought along") {
  std::filesystem::create_directory(code_dir / "one");
  for (const auto* file : {"libdep.so.1", "libuser_one.so"})
    std::filesystem::copy_file(built_plugins() / "one" / file, code_dir / "one" / file);
  const auto user = put("one/libuser_one.so:app");
  install("greeter_1");
  const auto first = put();
  install("greeter_2");
  const auto second = put();
  CHECK(names_in(folder.path() / "data/code").size() == 5); // two of the user's, its list, two greeters
  CHECK(from.keep_only({user, second}) == 1);
  CHECK(!from.contains(first));
  CHECK(from.contains(second));
  CHECK(from.contains(user));
  CHECK(from.keep_only({second}) == 2);
  CHECK(names_in(folder.path() / "data/code") == std::vector<std::string>{second + ".so"});
}

TEST_CASE_FIXTURE(library_fixture, "a start removes what an interrupted put and an earlier process left") {
  install("greeter_1");
  const auto digest = put();
  load(digest);
  CHECK(!std::filesystem::is_empty(from.loaded_dir()));
  overwrite_in_place(folder.path() / "data/code/new-1-1", "half");
  library::store next{from.options()};
  CHECK(names_in(folder.path() / "data/code") == std::vector<std::string>{digest + ".so"});
  const library::loader fresh{next, {}};
  CHECK(std::filesystem::is_empty(next.loaded_dir()));
}

TEST_CASE_FIXTURE(library_fixture, "a file that is larger than allowed is refused") {
  library::store small{{.data_dir = folder.path() / "data2", .code_dirs = {code_dir}, .max_file_bytes = 1000}};
  install("greeter_1");
  CHECK(contains(small.put("libspell.so:app").why().message, "libspell.so: it is larger than 1000 bytes"));
  CHECK(names_in(folder.path() / "data2/code").empty());
}

TEST_CASE("a data directory that cannot be used is told") {
  const temporary_folder folder;
  overwrite_in_place(folder.path() / "data", "a file");
  const library::store_options options{.data_dir = folder.path() / "data", .code_dirs = {}};
  CHECK_THROWS_WITH_AS(library::store{options}, doctest::Contains("the data directory cannot be used"),
                       std::runtime_error);
}
