// What the machine has, as its control groups limit it: scratch folders in place of /proc and /sys.
#include <troupe/app/runtime/machine_resources.hpp>

#include <doctest/doctest.h>

#include <fixtures/files.hpp>
#include <string>

namespace troupe::machine_resources_test {

using namespace troupe;
using namespace troupe::test;

namespace {

struct scratch_machine {
  /// "0::/a/b" and so on, one a line.
  explicit scratch_machine(const std::string& groups) { put("proc/self/cgroup", groups); }

  scratch_machine& put(const std::string& file, const std::string& text) {
    const auto path = folder.path() / file;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream{path} << text << '\n';
    return *this;
  }
  /// Below /sys/fs/cgroup.
  scratch_machine& group(const std::string& file, const std::string& text) {
    return put("sys/fs/cgroup/" + file, text);
  }

  resources found() const { return detected_resources(folder.path().string()); }
  std::uint64_t cpus() const { return found().of(resource_name::cpus); }
  std::uint64_t memory() const { return found().of(resource_name::memory); }

  temporary_folder folder;
};

constexpr std::uint64_t mib = 1U << 20U;

} // namespace

TEST_CASE("without limits there are the CPUs that the process may run on, and the machine's memory") {
  scratch_machine none{"0::/"};
  const auto all = none.found();
  CHECK(all.of(resource_name::cpus) >= resource_unit);
  CHECK(all.of(resource_name::cpus) % resource_unit == 0);
  CHECK(all.of(resource_name::memory) > mib);
  CHECK(detected_resources((none.folder.path() / "nothing").string()) == all);
  none.group("cpu.max", "max 100000").group("memory.max", "max");
  CHECK(none.found() == all);
  none.group("cpu.max", "100000000 100000").group("memory.max", "9223372036854771712"); // more than there is
  CHECK(none.found() == all);
}

TEST_CASE("version 2: the lowest limit of the group and its parents") {
  scratch_machine m{"0::/a/b"};
  m.group("a/b/cpu.max", "50000 100000").group("a/b/memory.max", std::to_string(3 * mib));
  CHECK(m.cpus() == 5000);
  CHECK(m.memory() == 3 * mib);
  m.group("a/cpu.max", "25000 100000").group("a/memory.max", std::to_string(2 * mib));
  CHECK(m.cpus() == 2500);
  CHECK(m.memory() == 2 * mib);
  m.group("cpu.max", "1000 1000000").group("memory.max", std::to_string(mib));
  CHECK(m.cpus() == 10);
  CHECK(m.memory() == mib);
  m.group("a/b/cpu.max", "max 100000").group("a/cpu.max", "max 100000").group("c/cpu.max", "1 1000000");
  CHECK(m.cpus() == 10);
  m.group("cpu.max", "1000 100000000"); // a tenth of a unit
  CHECK(m.cpus() == 1);
}

TEST_CASE("version 1: quota and period of the CPU controller, under either name of its mount") {
  scratch_machine m{"3:cpuset:/x\n2:cpu,cpuacct:/a\n1:memory:/b\n0::/"};
  const auto all = m.found();
  m.group("cpu,cpuacct/a/cpu.cfs_quota_us", "-1").group("cpu,cpuacct/a/cpu.cfs_period_us", "100000");
  m.group("memory/b/memory.limit_in_bytes", "9223372036854771712");
  m.group("cpuset/x/cpu.cfs_quota_us", "1").group("cpuset/x/cpu.cfs_period_us", "100000"); // of no interest
  CHECK(m.found() == all);
  m.group("cpu,cpuacct/a/cpu.cfs_quota_us", "20000");
  m.group("memory/b/memory.limit_in_bytes", std::to_string(mib));
  CHECK(m.cpus() == 2000);
  CHECK(m.memory() == mib);
  m.group("cpu/cpu.cfs_quota_us", "10000").group("cpu/cpu.cfs_period_us", "100000");
  CHECK(m.cpus() == 1000);
}

TEST_CASE("limits that cannot be understood are none") {
  scratch_machine m{"nonsense\n0::/a"};
  const auto all = m.found();
  for (const auto* text : {"", "x y", "50000", "50000 0", "50000 -1", "-1 100000"}) {
    CAPTURE(text);
    m.group("a/cpu.max", text);
    CHECK(m.found() == all);
  }
}

} // namespace troupe::machine_resources_test
