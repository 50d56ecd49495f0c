// Amounts of resources: arithmetic in integers, how they are written, and what a spec may ask for.
#include "spec_checks.hpp"
#include <troupe/messages/resources.hpp>

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <limits>

using namespace troupe;

namespace {

resources cpus(std::uint64_t units) { return resources{}.set(resource_name::cpus, units); }

resources any_resources() {
  resources x;
  for (const auto* name : {"a", "b", "num_cpus", "memory"})
    x.set(name, *rc::gen::inRange<std::uint64_t>(0, 50));
  return x;
}

} // namespace

TEST_CASE("amounts are kept by name, and none of them is 0") {
  auto x = resources{}.set("b", 2).set("a", 1).set("c", 3);
  CHECK(x.amounts == std::vector<resource_amount>{{"a", 1}, {"b", 2}, {"c", 3}});
  CHECK(x.set("b", 0).amounts == std::vector<resource_amount>{{"a", 1}, {"c", 3}});
  CHECK(x.of("b") == 0);
  CHECK(x.set("d", 0).amounts.size() == 2);
  CHECK(resources{}.empty());
}

TEST_CASE("ten tenths are one: sums are never off") {
  auto sum = cpus(0);
  for (int i = 0; i < 10; ++i)
    add(sum, cpus(*to_units(0.1)));
  CHECK(sum == cpus(resource_unit));
}

TEST_CASE("how often something is there: just before, at and after the next one") {
  CHECK(times_in(cpus(20'000), cpus(59'999), 9) == 2);
  CHECK(times_in(cpus(20'000), cpus(60'000), 9) == 3);
  CHECK(times_in(cpus(20'000), cpus(60'000), 2) == 2);
  CHECK(times_in(cpus(1), {}, 9) == 0);
  CHECK(times_in({}, {}, 9) == 9);
  CHECK_FALSE(fits(cpus(2), cpus(1)));
  CHECK(fits(cpus(2), cpus(2)));
  CHECK(first_lacking(cpus(2), cpus(1)) == resource_amount{"num_cpus", 2});
}

TEST_CASE("what is added is taken away again, whatever it is") {
  rc::check([] {
    const auto a = any_resources();
    const auto b = any_resources();
    const auto n = *rc::gen::inRange<std::uint64_t>(0, 9);
    auto x = a;
    add(x, b, n);
    RC_ASSERT(times_in(b, x, 100) >= std::min<std::uint64_t>(b.empty() ? 0 : n, 100));
    take(x, b, n);
    RC_ASSERT(x == a);
    RC_ASSERT(fits(at_most(a, b), a));
    RC_ASSERT(fits(at_most(a, b), b));
  });
}

TEST_CASE("amounts stop at their ends instead of wrapping around") {
  auto x = cpus(std::numeric_limits<std::uint64_t>::max() - 1);
  add(x, cpus(std::numeric_limits<std::uint64_t>::max()), 3);
  CHECK(x == cpus(std::numeric_limits<std::uint64_t>::max()));
  auto y = cpus(5);
  take(y, cpus(3), 2);
  CHECK(y.empty());
}

TEST_CASE("a number has at most four decimals") {
  CHECK(to_units(0.1) == 1000);
  CHECK(to_units(0.0001) == 1);
  CHECK(to_units(0.29) == 2900); // 0.29 * 10000 is 2899.9999...
  CHECK(to_units(1234.5678) == 12'345'678);
  CHECK_FALSE(to_units(0.00005));
  CHECK_FALSE(to_units(0.12345));
  CHECK_FALSE(to_units(-1));
  CHECK_FALSE(to_units(std::numeric_limits<double>::quiet_NaN()));
}

TEST_CASE("a fifth decimal is told of large amounts, too; what is written is always read back") {
  for (const auto bad : {0.00001, 12345.67891, 50000.00001, 60000.00005, 12345678.987654, 999'999'999.00001}) {
    CAPTURE(bad);
    CHECK_FALSE(to_units(bad));
  }
  CHECK(to_units(12345.6789) == 123'456'789);
  CHECK(to_units(50000.0001) == 500'000'001);
  const auto is_read_back = [](std::uint64_t units) {
    const auto text = amount_to_json("tokens", units).dump();
    return to_units(json::parse(text).get<double>()) == units;
  };
  constexpr std::uint64_t most = 1'000'000'000 * resource_unit;
  for (std::uint64_t units = 0; units < 20'000; ++units)
    if (!is_read_back(units) || !is_read_back(most - units)) {
      CAPTURE(units);
      CHECK(is_read_back(units));
      CHECK(is_read_back(most - units));
      break;
    }
  rc::check([&] { RC_ASSERT(is_read_back(*rc::gen::inRange<std::uint64_t>(0, most + 1))); });
}

TEST_CASE("amounts are told as operators write them") {
  CHECK(amount_text("num_cpus", 5000) == "0.5");
  CHECK(amount_text("tokens", 30'000) == "3");
  CHECK(amount_text("memory", std::uint64_t{8} << 30U) == "8GiB");
  CHECK(amount_text("memory", 1536U << 20U) == "1536MiB");
  CHECK(amount_text("memory", 1000) == "1000B");
  CHECK(amount_text("memory", 0) == "0B");
  CHECK(to_string(resources{}) == "nothing");
  CHECK(to_string(cpus(20'000).set("memory", 1024)) == "1KiB memory, 2 num_cpus");
}

TEST_CASE("what replicas may ask for: the limits of each amount") {
  for (const auto* path : {"ray_actor_options.num_cpus", "ray_actor_options.num_gpus"}) {
    accepts(path, 0);
    accepts(path, 0.0001);
    accepts(path, nullptr);
    rejects(path, 0.00001);
    rejects(path, -1);
    rejects(path, "1");
    rejects(path, true);
  }
  accepts("ray_actor_options.num_cpus", 1.5);
  accepts("ray_actor_options.num_cpus", 100'000);
  rejects("ray_actor_options.num_cpus", 100'000.0001);
  accepts("ray_actor_options.num_gpus", 0.9999);
  accepts("ray_actor_options.num_gpus", 1);
  CHECK(rejects("ray_actor_options.num_gpus", 1.5).allowed ==
        "a number from 0 to 10000 with at most 4 decimals, above 1 a whole one");
  accepts("ray_actor_options.num_gpus", 2);
  accepts("ray_actor_options.memory", 1);
  accepts("ray_actor_options.memory", std::int64_t{1} << 50U);
  rejects("ray_actor_options.memory", (std::int64_t{1} << 50U) + 1);
  rejects("ray_actor_options.memory", 0.5);
  rejects("ray_actor_options", 1);
  accepts("ray_actor_options", nullptr);
}

TEST_CASE("resources of one's own: names and amounts, each told by its own path") {
  accepts("ray_actor_options.resources", json{{"tokens", 0.5}, {"node:1.2.3.4", 1'000'000'000}});
  rejects("ray_actor_options.resources", json::array());
  for (const auto* bad : {"num_cpus", "GPU", "max_replicas", "with space", ""}) {
    CAPTURE(bad);
    json spec{{"name", "d"}, {"ray_actor_options", {{"resources", {{bad, 1}}}}}};
    const auto read = read_spec(spec);
    REQUIRE(read.errors.size() == 1);
    CHECK(read.errors[0].path == "ray_actor_options.resources." + std::string(bad));
  }
  const auto read =
      read_spec({{"name", "d"},
                 {"ray_actor_options",
                  {{"num_cpus", -1}, {"num_gpus", 1.5}, {"cpus", 1}, {"resources", {{"a", -1}, {"b", 1}}}}}});
  std::string paths;
  for (const auto& e : read.errors)
    paths += e.path + " ";
  CHECK(paths == "ray_actor_options.cpus ray_actor_options.num_cpus ray_actor_options.num_gpus "
                 "ray_actor_options.resources.a ");
  json many;
  for (int i = 0; i < 33; ++i)
    many["r" + std::to_string(i)] = 1;
  rejects("ray_actor_options.resources", many);
  many.erase("r0");
  accepts("ray_actor_options.resources", many);
}

TEST_CASE("what a config asks for stands for what the code declares, as a whole; null and nothing leave that") {
  deployment_spec code;
  code.name = "d";
  code.per_replica = cpus(10'000).set("memory", 5).set("a", 1);
  const auto over = [&](const json& options) {
    return read_spec({{"name", "d"}, {"ray_actor_options", options}}, code).spec.per_replica;
  };
  CHECK(over(nullptr) == code.per_replica);
  CHECK(read_spec({{"name", "d"}}, code).spec.per_replica == code.per_replica);
  CHECK(over(json::object()) == resources{});
  CHECK(over({{"num_cpus", nullptr}}) == resources{});
  CHECK(over({{"num_cpus", 2}}) == cpus(20'000));
  CHECK(over({{"memory", 7}, {"resources", nullptr}}) == resources{}.set("memory", 7));
  CHECK(over({{"resources", {{"b", 1}}}}) == resources{}.set("b", 10'000));
  CHECK(over(to_json(code).at("ray_actor_options")) == code.per_replica);
}

TEST_CASE("a spec that a program made is checked by the same rules") {
  deployment_spec spec;
  spec.name = "d";
  spec.per_replica.set("num_gpus", 15'000).set("no good", 1).set("num_cpus", 5);
  const auto errors = validate(spec);
  REQUIRE(errors.size() == 2);
  CHECK(errors[0].path == "ray_actor_options.num_gpus");
  CHECK(errors[1].path == "ray_actor_options.resources.no good");
}
