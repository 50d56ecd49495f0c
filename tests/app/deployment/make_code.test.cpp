// User classes as code: which call operators, constructors and optional members are found.
#include <troupe/app/deployment/make_code.hpp>

#include <doctest/doctest.h>

#include <mutex>

namespace {

using namespace troupe;
using namespace troupe::deployment;

struct ping {
  int value = 0;
};
struct pong {
  int value = 0;
};
struct other {};

struct by_value {
  pong operator()(ping x) { return {x.value}; }
};
struct by_reference {
  pong operator()(const ping& x) const { return {x.value}; }
};
struct with_context {
  pong operator()(ping x, const request_context&) noexcept { return {x.value}; }
};
struct with_promise {
  void operator()(const ping&, promise<pong> p) { p.answer({1}); }
};
struct with_both {
  void operator()(ping, const request_context&, promise<pong> p) { p.answer({1}); }
};
struct two {
  using calls = signatures<pong(ping), other(other)>;
  pong operator()(const ping& x) { return {x.value}; }
  void operator()(other, promise<other> p) { p.answer({}); }
};

struct from_args {
  explicit from_args(const json& args) : value(args.value("value", 0)) {}
  pong operator()(ping) { return {value}; }
  void reconfigure(const json& config) { value = config.get<int>(); }
  void check_health() {
    if (value < 0)
      throw std::runtime_error("negative");
  }
  int value;
};

struct from_int {
  explicit from_int(int x) : value(x) {}
  pong operator()(ping) { return {value}; }
  int value;
};

struct immovable {
  immovable() = default;
  immovable(const immovable&) = delete;
  std::mutex mutex;
  pong operator()(ping) { return {}; }
};

struct throws_at_the_end {
  ~throws_at_the_end() noexcept(false) { throw std::runtime_error("late"); }
  pong operator()(ping) { return {}; }
};

template <class T, class... Sigs>
constexpr bool lists = std::is_same_v<calls_of<T>, signatures<Sigs...>>;

} // namespace

TEST_CASE("the signature of a single call operator is deduced from any of its forms") {
  CHECK(lists<by_value, pong(ping)>);
  CHECK(lists<by_reference, pong(ping)>);
  CHECK(lists<with_context, pong(ping)>);
  CHECK(lists<with_promise, pong(ping)>);
  CHECK(lists<with_both, pong(ping)>);
  CHECK(lists<two, pong(ping), other(other)>);
}

TEST_CASE("each form of call operator is recognised") {
  CHECK(form_of<by_value, pong(ping)>() == operator_form::value);
  CHECK(form_of<by_reference, pong(ping)>() == operator_form::value);
  CHECK(form_of<with_context, pong(ping)>() == operator_form::value_with_context);
  CHECK(form_of<with_promise, pong(ping)>() == operator_form::with_promise);
  CHECK(form_of<with_both, pong(ping)>() == operator_form::with_context_and_promise);
  CHECK(form_of<two, other(other)>() == operator_form::with_promise);
  CHECK(form_of<by_value, pong(other)>() == operator_form::none);
}

TEST_CASE("a request is moved only into operators that take it by value") {
  CHECK_FALSE(takes_const_reference<by_value, pong(ping)>());
  CHECK(takes_const_reference<by_reference, pong(ping)>());
  CHECK_FALSE(takes_const_reference<with_context, pong(ping)>());
  CHECK(takes_const_reference<with_promise, pong(ping)>());
  CHECK(takes_const_reference<two, pong(ping)>());
  CHECK_FALSE(takes_const_reference<two, other(other)>());
}

TEST_CASE("traits tell name, signatures and optional members") {
  const auto plain = make_code<two>();
  CHECK(plain->traits().name.find("two") != std::string::npos);
  REQUIRE(plain->traits().signatures.size() == 2);
  CHECK(plain->traits().answers(key_of<pong(ping)>));
  CHECK(plain->traits().answers(key_of<other(other)>));
  CHECK_FALSE(plain->traits().answers(key_of<pong(other)>));
  CHECK_FALSE(plain->traits().has_reconfigure);
  CHECK_FALSE(plain->traits().has_check_health);
  CHECK_FALSE(plain->traits().takes_init_args);

  const auto full = make_code<from_args>();
  CHECK(full->traits().has_reconfigure);
  CHECK(full->traits().has_check_health);
  CHECK(full->traits().takes_init_args);
}

TEST_CASE("a constructor from something that JSON converts to is not one from init_args") {
  CHECK_FALSE(takes_init_args<from_int>);
  CHECK(takes_init_args<from_args>);
}

TEST_CASE("init_args reach the constructor, and exceptions of all members come out") {
  const auto code = make_code<from_args>();
  auto object = code->construct(json{{"value", -3}});
  CHECK_THROWS_WITH(object->check_health(), "negative");
  object->reconfigure(json(4));
  CHECK_NOTHROW(object->check_health());
  CHECK_THROWS(object->reconfigure(json("no number")));
  CHECK_THROWS(code->construct(json(3))); // value() on a number
}

TEST_CASE("objects that cannot be moved, and factories of both kinds") {
  CHECK(make_code<immovable>()->construct({}) != nullptr);
  const auto by_hand = make_code<from_int>([] { return from_int{7}; });
  CHECK(by_hand->construct({}) != nullptr);
  CHECK_FALSE(by_hand->traits().takes_init_args);
  const auto in_heap = make_code<from_int>([](const json& x) { return std::make_unique<from_int>(x.get<int>()); });
  CHECK(in_heap->construct(json(1)) != nullptr);
  CHECK(in_heap->traits().takes_init_args);
  const auto none = make_code<from_int>([] { return std::unique_ptr<from_int>{}; });
  CHECK_THROWS_WITH(none->construct({}), "the factory returned no object");
}

TEST_CASE("a destructor that may throw throws to whoever deletes the object, whichever way it is held") {
  auto* in_place = make_code<throws_at_the_end>()->construct({}).release();
  CHECK_THROWS_WITH(delete in_place, "late");
  auto* in_heap =
      make_code<throws_at_the_end>([] { return std::make_unique<throws_at_the_end>(); })->construct({}).release();
  CHECK_THROWS_WITH(delete in_heap, "late");
}
