// Every message travels: registered under its own name, reads back whole, refuses enums that are out of range.
#include "filled.hpp"
#include <troupe/messages/all_messages.hpp>
#include <troupe/messages/error.hpp>
#include <troupe/messages/registry.hpp>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>
#include <caf/make_message.hpp>
#include <caf/message.hpp>
#include <doctest/doctest.h>

#include <concepts>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace {

using namespace troupe;

struct quiet_config : caf::actor_system_config {
  explicit quiet_config(bool with_messages = true) {
    set("scheduler.max-threads", 1);
    if (with_messages)
      register_messages(*this);
  }
};

struct registered_system {
  quiet_config config;
  caf::actor_system sys{config};
};

std::vector<char> to_bytes(caf::actor_system& sys, caf::message& x) {
  std::vector<char> bytes;
  caf::binary_serializer sink{sys, bytes};
  REQUIRE_FALSE(sink(x));
  return bytes;
}

template <class T>
void round_trip(caf::actor_system& sys) {
  CAPTURE(wire::name_of<T>());
  auto value = filled<T>();
  auto sent = caf::make_message(value);
  const auto bytes = to_bytes(sys, sent);
  caf::message received;
  caf::binary_deserializer source{sys, bytes};
  REQUIRE_FALSE(source(received));
  CHECK(source.remaining() == 0);
  REQUIRE(received.size() == 1);
  REQUIRE(received.match_elements<T>());
  CHECK(to_bytes(sys, received) == bytes);
  CHECK(caf::to_string(received) == caf::to_string(sent));
  if constexpr (std::equality_comparable<T>)
    CHECK(received.get_as<T>(0) == value);
}

template <class... Ts>
void round_trips(caf::actor_system& sys, wire::type_list<Ts...>) {
  (round_trip<Ts>(sys), ...);
}

template <class... Ts>
std::set<std::string> names(wire::type_list<Ts...>) {
  return {wire::name_of<Ts>()...};
}

template <class... Ts>
constexpr std::size_t count(wire::type_list<Ts...>) {
  return sizeof...(Ts);
}

// Whether what `value` is written as can be loaded.
template <class T>
bool loads(caf::actor_system& sys, T value) {
  std::vector<char> bytes;
  caf::binary_serializer sink{sys, bytes};
  REQUIRE_FALSE(sink(value));
  T read{};
  caf::binary_deserializer source{sys, bytes};
  return !source(read);
}

template <class Enum>
void has_all_names() {
  const auto last = static_cast<unsigned>(last_enumerator(Enum{}));
  std::set<std::string> seen;
  for (unsigned i = 0; i <= last; ++i) {
    const auto name = to_string(static_cast<Enum>(i));
    CHECK(name.find("unknown(") == std::string::npos);
    CHECK(seen.insert(name).second);
  }
  CHECK(to_string(static_cast<Enum>(last + 1)) == "unknown(" + std::to_string(last + 1) + ")");
}

} // namespace

TEST_CASE("every message reads back as the same type, whole and with nothing unread") {
  registered_system s;
  round_trips(s.sys, wire::all_messages{});
}

TEST_CASE("the list of messages names every type of messages/ that has an inspect, once") {
  std::set<std::string> found{"troupe::json_doc"}; // the one that writes its own
  const std::regex line{R"(^TROUPE_INSPECT\((\w+))"};
  for (const auto& entry : std::filesystem::directory_iterator(TROUPE_TEST_SOURCE_DIR "/../messages")) {
    if (entry.path().extension() != ".hpp")
      continue;
    std::ifstream file{entry.path()};
    for (std::string text; std::getline(file, text);)
      if (std::smatch match; std::regex_search(text, match, line))
        CHECK(found.insert("troupe::" + match[1].str()).second);
  }
  CHECK(found == names(wire::all_messages{}));
  CHECK(found.size() == count(wire::all_messages{})); // no two types under one name
}

TEST_CASE("a vector of messages travels too") {
  registered_system s;
  auto sent = caf::make_message(std::vector<replica_started>{{{7, 1}}, {{8, 2}}});
  const auto bytes = to_bytes(s.sys, sent);
  caf::message received;
  caf::binary_deserializer source{s.sys, bytes};
  REQUIRE_FALSE(source(received));
  REQUIRE(received.match_elements<std::vector<replica_started>>());
  CHECK(received.get_as<std::vector<replica_started>>(0)[1].replica == replica_ref{8, 2});
}

TEST_CASE("a system knows whether it has the messages") {
  registered_system with;
  CHECK(has_messages(with.sys));
  quiet_config config{false};
  caf::actor_system without{config};
  CHECK_FALSE(has_messages(without));
}

TEST_CASE("registering twice changes nothing") {
  quiet_config config;
  register_messages(config);
  caf::actor_system sys{config};
  CHECK(has_messages(sys));
  round_trip<deployment_spec>(sys);
}

TEST_CASE("an enum out of range does not load, wherever it stands") {
  registered_system s;
  CHECK(loads(s.sys, control_rollout{{}, rollout_action::rollback, 0}));
  CHECK_FALSE(loads(s.sys, control_rollout{{}, static_cast<rollout_action>(6), 0}));
  CHECK_FALSE(loads(s.sys, control_rollout{{}, static_cast<rollout_action>(255), 0}));
  CHECK(loads(s.sys, replica_stopped{{}, stop_reason::owner_gone, ""}));
  CHECK_FALSE(loads(s.sys, replica_stopped{{}, static_cast<stop_reason>(4), ""}));
  CHECK_FALSE(loads(s.sys, command_result{static_cast<change_kind>(6), 0, ""}));

  deployment_spec spec;
  spec.execution = static_cast<execution_mode>(3);
  CHECK_FALSE(loads(s.sys, spec));
  CHECK_FALSE(loads(s.sys, deploy_deployment{spec, {}}));
  spec = {};
  spec.rollout.strategy = static_cast<rollout_strategy>(2);
  CHECK_FALSE(loads(s.sys, spec));

  deployment_status status;
  status.replicas.resize(2);
  CHECK(loads(s.sys, application_list{{{"a", {}, "", {status}}}}));
  status.replicas[1].state = static_cast<replica_state_name>(7);
  CHECK_FALSE(loads(s.sys, application_list{{{"a", {}, "", {status}}}}));
  status = {};
  status.state = static_cast<deployment_state_name>(8);
  CHECK_FALSE(loads(s.sys, status));
  status = {};
  status.rollout.phase = static_cast<rollout_phase>(5);
  CHECK_FALSE(loads(s.sys, status));
  status = {};
  status.rollout.reason = static_cast<rollout_reason>(10);
  CHECK_FALSE(loads(s.sys, status));
  CHECK_FALSE(loads(s.sys, application_status{"a", static_cast<application_state_name>(6), "", {}}));
}

TEST_CASE("every enumerator has a name of its own, and what is none says its number") {
  has_all_names<errc>();
  has_all_names<execution_mode>();
  has_all_names<rollout_strategy>();
  has_all_names<rollout_action>();
  has_all_names<change_kind>();
  has_all_names<stop_reason>();
  has_all_names<deployment_state_name>();
  has_all_names<application_state_name>();
  has_all_names<replica_state_name>();
  has_all_names<rollout_reason>();
  has_all_names<rollout_phase>();
  CHECK(to_string(deployment_state_name::rolling_back) == "ROLLING_BACK");
  CHECK(to_string(application_state_name::not_started) == "NOT_STARTED");
  CHECK(to_string(replica_state_name::pending_migration) == "PENDING_MIGRATION");
}

TEST_CASE("code does not travel, its name does") {
  registered_system s;
  code_ref ref{"app::greeter", std::shared_ptr<const code>(std::shared_ptr<int>{std::make_shared<int>(1)}, nullptr)};
  std::vector<char> bytes;
  caf::binary_serializer sink{s.sys, bytes};
  REQUIRE_FALSE(sink(ref));
  code_ref read;
  caf::binary_deserializer source{s.sys, bytes};
  REQUIRE_FALSE(source(read));
  CHECK(read.name == "app::greeter");
  CHECK(read.local == nullptr);
}

TEST_CASE("an error keeps its code and message on the way through CAF") {
  registered_system s;
  for (unsigned i = 0; i <= static_cast<unsigned>(last_enumerator(errc{})); ++i) {
    const error e{static_cast<errc>(i), i == 0 ? "" : "deployment \"a\""};
    CHECK(from_caf(to_caf(e), s.sys) == e);
  }
  CHECK_FALSE(to_caf({errc::none, "ignored"}));
  CHECK(from_caf(caf::none, s.sys) == error{});
}

TEST_CASE("an error travels") {
  registered_system s;
  auto sent = to_caf({errc::backpressure, "queue of \"a\" is full (10)"});
  std::vector<char> bytes;
  caf::binary_serializer sink{s.sys, bytes};
  REQUIRE_FALSE(sink(sent));
  caf::error read;
  caf::binary_deserializer source{s.sys, bytes};
  REQUIRE_FALSE(source(read));
  CHECK(from_caf(read, s.sys) == error{errc::backpressure, "queue of \"a\" is full (10)"});
}

TEST_CASE("CAF prints our errors, and we tell CAF's and those of a newer release with their text") {
  registered_system s;
  CHECK(s.sys.render(to_caf({errc::rejected, "it is deleted"})) == "rejected: it is deleted");
  CHECK(s.sys.render(to_caf({errc::timed_out, ""})) == "timed_out");
  const auto foreign = from_caf(caf::make_error(caf::sec::request_timeout), s.sys);
  CHECK(foreign.code == errc::unavailable);
  CHECK(foreign.message.find("request_timeout") != std::string::npos);
  const auto newer = from_caf(caf::error{200, caf::atom("troupe")}, s.sys);
  CHECK(newer.code == errc::unavailable);
  CHECK(newer.message == "unknown(200)");
  // our category without our context: still the code
  CHECK(from_caf(caf::error{6, caf::atom("troupe"), caf::make_message(1)}, s.sys) == error{errc::timed_out, ""});
}
