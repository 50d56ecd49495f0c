// Random histories of a room: all keep the invariants, and each wrong rule breaks one.
#pragma once

#include <troupe/actors/controller/cluster_room.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <initializer_list>

namespace troupe::cluster_room_test {

constexpr std::uint64_t histories = 2000;

/// `History{seed, wrong}.run()` says the first invariant that does not hold, or nothing.
template <class History>
void all_histories_are_sound() {
  for (std::uint64_t seed = 1; seed <= histories; ++seed) {
    const auto what = History{seed, controller::wrong_seat::none}.run();
    REQUIRE_MESSAGE(what.empty(), "seed " << seed << ": " << what);
  }
}

template <class History>
void histories_notice(std::initializer_list<controller::wrong_seat> all) {
  for (const auto wrong : all) {
    std::uint64_t seed = 1;
    while (seed <= histories && History{seed, wrong}.run().empty())
      ++seed;
    CAPTURE(static_cast<int>(wrong));
    CHECK(seed <= histories);
  }
}

} // namespace troupe::cluster_room_test
