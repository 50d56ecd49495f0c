// The hierarchical bitmap.
#include <troupe/actors/router/room_index.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <random>
#include <set>
#include <thread>
#include <vector>

using troupe::room_index;

TEST_CASE("an empty room index has no next member") {
  room_index index;
  CHECK(index.next(0) == room_index::none);
  index.grow(100'000);
  CHECK(index.next(0) == room_index::none);
  CHECK(index.next(99'999) == room_index::none);
}

TEST_CASE("a room index finds the next member cyclically across word and level borders") {
  room_index index;
  index.grow(300'000);
  for (const auto member : {0U, 63U, 64U, 4095U, 4096U, 262'143U, 262'144U, 299'999U})
    index.set(member);
  CHECK(index.next(0) == 0);
  CHECK(index.next(1) == 63);
  CHECK(index.next(64) == 64);
  CHECK(index.next(65) == 4095);
  CHECK(index.next(4096) == 4096);
  CHECK(index.next(4097) == 262'143);
  CHECK(index.next(262'144) == 262'144);
  CHECK(index.next(262'145) == 299'999);
  index.clear(299'999);
  CHECK(index.next(262'145) == 0);
  index.clear(0);
  CHECK(index.next(262'145) == 63);
  CHECK(index.test(63));
  CHECK_FALSE(index.test(0));
}

TEST_CASE("a room index agrees with a std::set under random changes and growth") {
  std::mt19937 random{7};
  room_index index;
  std::set<std::uint32_t> model;
  std::uint32_t size = 1;
  for (int step = 0; step < 20'000; ++step) {
    if (step % 1000 == 0)
      size = std::min<std::uint32_t>(size * 3, 1'000'000);
    index.grow(size);
    const auto i = static_cast<std::uint32_t>(random() % size);
    if (random() % 2 == 0) {
      index.set(i);
      model.insert(i);
    } else {
      CHECK_FALSE(index.clear(i)); // nobody else writes
      model.erase(i);
    }
    const auto from = static_cast<std::uint32_t>(random() % size);
    auto expected = model.lower_bound(from);
    if (expected == model.end())
      expected = model.begin();
    REQUIRE(index.next(from) == (model.empty() ? room_index::none : *expected));
  }
}

TEST_CASE("a bit that stays set is found again once others stop changing its word") {
  room_index index;
  index.grow(70'000);
  index.set(65'000);
  std::vector<std::thread> threads;
  for (std::uint32_t t = 0; t < 2; ++t)
    threads.emplace_back([&index, t] {
      for (int i = 0; i < 20'000; ++i) {
        index.set(64 * t + 3);
        index.clear(64 * t + 3);
        index.set(65'001 + t); // the word of the one that stays
        index.clear(65'001 + t);
      }
    });
  for (auto& thread : threads)
    thread.join();
  CHECK(index.next(0) == 65'000);
}
