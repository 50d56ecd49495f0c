// The seats of one deployment: on which nodes they are, and which replica is on which.
#pragma once

#include <troupe/actors/controller/node_fit.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

namespace troupe::controller {

/// Confined to its owner. Shapes have small numbers, which the owner chooses. Order counts what the deployment has of
/// all shapes: seats are given back where it has the most, and taken where it occupies the fewest, so that it stays
/// spread; of a shape that is packed the other way round, so that nodes become empty. Before that, what is preferred is
/// taken first and given back last.
///
/// Nodes 1, 2, 3 with 3, 3, 1 seats, of which 1, 0, 1 are occupied: the next replica comes to 2 (0 are there), and
/// then to 1 or 2: 1, the lesser id. What is given back goes from 2 (3 and 3: the larger id), then from 1.
///
/// A seat costs O(shapes x log nodes).
class seat_table {
public:
  /// Node and how many.
  using counts = std::vector<std::pair<node_id, std::uint32_t>>;

  std::uint32_t seats(std::uint32_t shape) const;
  std::uint32_t occupied(std::uint32_t shape) const;
  std::uint32_t unoccupied(std::uint32_t shape) const { return seats(shape) - occupied(shape); }
  std::uint32_t unoccupied(std::uint32_t shape, node_id on) const;
  std::uint32_t occupied(std::uint32_t shape, node_id on) const;

  /// `unmatched`: preferred rules of the shape that don't hold on the node.
  void add(std::uint32_t shape, node_id on, std::uint32_t unmatched = 0);
  /// From now on, before it has seats.
  void pack(std::uint32_t shape) { shapes_[shape].packs = true; }
  /// One that is not occupied. Precondition: there is one.
  void remove(std::uint32_t shape, node_id on);
  /// Precondition: one is there that nobody occupies.
  void occupy(std::uint32_t shape, node_id on, std::uint64_t place);
  void leave(std::uint32_t shape, node_id on, std::uint64_t place);

  /// Of the nodes with an unoccupied seat, the one to give back next. Nothing where there is none.
  std::optional<node_id> to_give_back(std::uint32_t shape) const;
  /// Likewise, the one for the next replica.
  std::optional<node_id> to_take(std::uint32_t shape) const;

  /// The node is gone, with all seats of this shape on it. Who occupied them.
  std::set<std::uint64_t> lose(std::uint32_t shape, node_id on);
  counts by_node(std::uint32_t shape) const;                    ///< Occupied or not, by id.
  std::vector<std::uint64_t> places(std::uint32_t shape) const; ///< Of all who occupy one.
  void forget(std::uint32_t shape) { shapes_.erase(shape); }    ///< Precondition: it has no seats.

private:
  using ranked = std::tuple<std::uint32_t, std::uint32_t, node_id>; ///< Unmatched, count (packed: its complement).
  struct spot {
    std::uint32_t seats = 0;
    std::uint32_t unmatched = 0;
    std::set<std::uint64_t> places;
    std::uint32_t free() const { return seats - static_cast<std::uint32_t>(places.size()); }
  };
  struct of_shape {
    std::uint32_t seats = 0;
    std::uint32_t occupied = 0;
    bool packs = false;
    std::map<node_id, spot> on;
    std::set<ranked> by_seats; ///< Nodes with an unoccupied seat, by what the deployment has there.
    std::set<ranked> by_occupied;
  };
  struct of_all {
    std::uint32_t seats = 0;
    std::uint32_t occupied = 0;
  };

  template <class Change>
  void change(std::uint32_t shape, node_id on, const Change& what);

  std::map<std::uint32_t, of_shape> shapes_;
  std::map<node_id, of_all> nodes_;
};

} // namespace troupe::controller
