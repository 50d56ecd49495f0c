// `--resources`: amounts by name over what was found.
#include <troupe/app/cli/addresses.hpp>
#include <troupe/app/runtime/machine_resources.hpp>

#include <doctest/doctest.h>

namespace troupe::resources_text_test {

using namespace troupe;

namespace {

const resources found = resources{}.set("num_cpus", 20'000).set("memory", 1000);

resources parsed(const std::string& text) { return cli::parse_resources(text, "--resources", found); }

std::string refusal(const std::string& text) {
  try {
    parsed(text);
  } catch (const cli::failure& e) {
    CHECK(e.code() == cli::exit_code::usage);
    return e.what();
  }
  return "accepted";
}

} // namespace

TEST_CASE("what is named goes over what was found") {
  CHECK(parsed("num_cpus=4,num_gpus=1,memory=8GiB,tokens=0.5") == resources{}
                                                                      .set("num_cpus", 40'000)
                                                                      .set("num_gpus", 10'000)
                                                                      .set("memory", std::uint64_t{8} << 30U)
                                                                      .set("tokens", 5000));
  CHECK(parsed("memory=2TiB").of("memory") == std::uint64_t{2} << 40U);
  CHECK(refusal("memory=1025TiB").starts_with("--resources: memory takes")); // above 1 PiB
  CHECK(parsed("num_gpus=2") == resources{found}.set("num_gpus", 20'000));
  CHECK(parsed("num_cpus=0,memory=0") == resources{});
}

TEST_CASE("bad resources are told by name, value and what is allowed") {
  CHECK(refusal("num_cpus=many") ==
        "--resources: num_cpus takes a number from 0 to 100000 with at most 4 decimals, not \"many\"");
  CHECK(refusal("num_cpus=-1").starts_with("--resources: num_cpus takes"));
  CHECK(refusal("num_cpus=0.00001").starts_with("--resources: num_cpus takes"));
  CHECK(refusal("num_gpus=1.5").find("above 1 a whole one") != std::string::npos);
  CHECK(refusal("memory=8GB").starts_with("--resources: memory takes a number of bytes"));
  CHECK(refusal("a=1,a=2") == "--resources takes each resource once, not \"a=1,a=2\"");
  CHECK(refusal("CPU=1").starts_with("--resources takes num_cpus, num_gpus, memory, or names"));
  for (const auto* bad : {"", "num_cpus", "=1", "num_cpus=", "a=1,", ",a=1"}) {
    CAPTURE(bad);
    CHECK(refusal(bad) != "accepted");
  }
}

TEST_CASE("a machine has CPUs and memory") {
  const auto x = detected_resources();
  CHECK(x.of(resource_name::cpus) > 0);
  CHECK(x.of(resource_name::memory) > 0);
  CHECK(x.of(resource_name::gpus) == 0);
}

} // namespace troupe::resources_text_test
