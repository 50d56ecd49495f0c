// Rules that span several options.
#include "spec_checks.hpp"
#include <troupe/messages/validation.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

using namespace troupe;

TEST_CASE("the progress deadline exceeds min_ready_s + startup_timeout_s") {
  const auto errors_of = [](double deadline, double ready, double startup) {
    json object{{"name", "d"}, {"startup_timeout_s", startup}};
    object["rolling_update"] = {{"progress_deadline_s", deadline}, {"min_ready_s", ready}};
    return read_spec(object).errors;
  };
  CHECK(errors_of(10.001, 3, 7).empty());
  const auto at = errors_of(10, 3, 7);
  REQUIRE(at.size() == 1);
  CHECK(at[0].path == "rolling_update.progress_deadline_s");
  CHECK(at[0].value == "10");
  CHECK(at[0].allowed == "seconds, more than rolling_update.min_ready_s + startup_timeout_s (10)");
  CHECK(errors_of(9.999, 3, 7).size() == 1);
  CHECK(errors_of(ten_years, ten_years, ten_years).size() == 1);
  // the default of 600 s, against the others alone
  accepts("startup_timeout_s", 599.999);
  CHECK(read_spec(with("startup_timeout_s", 600)).errors.at(0).path == "rolling_update.progress_deadline_s");
  accepts("rolling_update.min_ready_s", 539.999);
  CHECK(read_spec(with("rolling_update.min_ready_s", 540)).errors.at(0).path == "rolling_update.progress_deadline_s");
}

TEST_CASE("a canary is at most one wave, and with stop_first fewer than all") {
  struct row {
    const char* strategy;
    std::uint32_t n;
    json surge, unavailable;
    std::uint32_t canary;
    bool good;
  };
  for (const auto& [strategy, n, surge, unavailable, canary, good] :
       {row{"start_first", 10, "20%", "10%", 0, true}, row{"start_first", 10, "20%", "10%", 2, true},
        row{"start_first", 10, "20%", "10%", 3, false}, row{"start_first", 1, "20%", "20%", 1, true},
        row{"start_first", 1, "20%", "20%", 2, false}, row{"stop_first", 10, "10%", "20%", 2, true},
        row{"stop_first", 10, "10%", "20%", 3, false}, row{"stop_first", 1, "20%", "20%", 0, true},
        row{"stop_first", 1, "20%", "20%", 1, false}, row{"stop_first", 2, 1, 2, 1, true},
        row{"stop_first", 2, 1, 2, 2, false}, row{"start_first", 2, 2, 1, 2, true}}) {
    json object{{"name", "d"}, {"num_replicas", n}};
    object["rolling_update"] = {
        {"strategy", strategy}, {"max_surge", surge}, {"max_unavailable", unavailable}, {"canary", canary}};
    CAPTURE(object.dump());
    const auto errors = read_spec(object).errors;
    CHECK(errors.empty() == good);
    if (!good) {
      REQUIRE(errors.size() == 1);
      CHECK(errors[0].path == "rolling_update.canary");
    }
  }
  rejects("rolling_update.canary", -1);
  rejects("rolling_update.canary", 0.5);
  rejects("rolling_update.canary", true);
}

TEST_CASE("rules across options stay silent where one of these is wrong already") {
  const auto errors = read_spec(json::parse(R"({"name": "d", "num_replicas": 0, "startup_timeout_s": -1,
    "rolling_update": {"canary": 5, "progress_deadline_s": 1}})"))
                          .errors;
  REQUIRE(errors.size() == 2);
  CHECK(errors[0].path == "num_replicas");
  CHECK(errors[1].path == "startup_timeout_s");
}
