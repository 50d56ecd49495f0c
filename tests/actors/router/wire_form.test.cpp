// What may leave the process, and comes back as it was.
#include <troupe/actors/router/wire_form.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace troupe::wire_form_test {

namespace {

struct point {
  int x = 0;
  std::string name;
  friend bool operator==(const point&, const point&) = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, point& p) {
  return f(p.x, p.name);
}

struct no_form {};

template <class T>
void comes_back(const T& x) {
  const auto bytes = wire::write(x);
  REQUIRE(bytes);
  CHECK(wire::read<T>(*bytes) == x);
  CHECK_FALSE(wire::read<T>(*bytes + "x"));
  CHECK_FALSE(wire::read<T>(bytes->substr(1)));
}

} // namespace

TEST_CASE("numbers, strings, vectors of them, and what has an inspect can leave the process") {
  comes_back(true);
  comes_back('a');
  comes_back(std::int8_t{-1});
  comes_back(std::numeric_limits<std::uint64_t>::max());
  comes_back(1.5F);
  comes_back(-1e300);
  comes_back(std::string{"a\0b", 3});
  comes_back(std::vector<int>{1, -2, 3});
  comes_back(std::vector<std::string>{"", "two"});
  comes_back(point{7, "seven"});
}

TEST_CASE("other types have no form outside") {
  static_assert(!wire::can_travel<no_form>);
  static_assert(!wire::can_travel<std::vector<bool>>);
  static_assert(!wire::can_travel<const char*>);
  CHECK_FALSE(wire::write(no_form{}));
  CHECK_FALSE(wire::read<no_form>(""));
}

} // namespace troupe::wire_form_test
