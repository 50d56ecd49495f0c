// What replicas ask of a machine and what a machine has: amounts by name, in integers.
#pragma once

#include <troupe/messages/caf_compat.hpp>
#include <troupe/messages/json_doc.hpp>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// Amounts of everything but memory are in 1/10000: 0.5 is 5000. Memory is in bytes.
inline constexpr std::uint64_t resource_unit = 10'000;

/// Stands for a number that is no amount (`to_units`), so that `validate` refuses it by its name.
inline constexpr std::uint64_t no_amount = std::numeric_limits<std::uint64_t>::max();

namespace resource_name {
inline constexpr std::string_view cpus = "num_cpus";
inline constexpr std::string_view gpus = "num_gpus";
inline constexpr std::string_view memory = "memory";
} // namespace resource_name

/// One resource: `num_cpus`, `num_gpus`, `memory`, or one of the operator's own names.
struct resource_amount {
  std::string name;
  std::uint64_t amount = 0; ///< 1/10000; bytes of `memory`.
  friend bool operator==(const resource_amount&, const resource_amount&) = default;
};
TROUPE_INSPECT(resource_amount, x.name, x.amount)

/// What one replica asks for, or what a machine has. A value; empty = nothing. What is not named is 0.
struct resources {
  std::vector<resource_amount> amounts; ///< By name, each once, none of amount 0: `set` keeps that.

  bool empty() const { return amounts.empty(); }
  std::uint64_t of(std::string_view name) const;
  resources& set(std::string_view name, std::uint64_t amount); ///< 0 takes it out.
  friend bool operator==(const resources&, const resources&) = default;
};
TROUPE_INSPECT(resources, x.amounts)

/// Whether `what` is there in `from`, each resource of it.
bool fits(const resources& what, const resources& from);
/// How often `what` is there in `from`, at most `most`. `most` where it asks for nothing.
std::uint32_t times_in(const resources& what, const resources& from, std::uint32_t most);
/// `to` + `count` x `what`. Amounts stop at the largest number instead of wrapping around.
void add(resources& to, const resources& what, std::uint64_t count = 1);
/// `from` - `count` x `what`; nothing goes below 0.
void take(resources& from, const resources& what, std::uint64_t count = 1);
/// The smaller of the two amounts of each resource.
resources at_most(const resources& a, const resources& b);

/// The first resource of `what` that `from` has too little of, by name; nothing when it fits.
std::optional<resource_amount> first_lacking(const resources& what, const resources& from);

/// 1/10000: 0.5 is 5000. Nothing for what is negative, has more than 4 decimals or is above 10^12. (From 10^10 a
/// double holds a fifth decimal only roughly.)
std::optional<std::uint64_t> to_units(double x);
/// A number as operators write it: 0.5 for 5000, bytes for memory.
json amount_to_json(std::string_view name, std::uint64_t amount);
/// "0.5", "2"; of memory "8GiB", "1536MiB", "1000B".
std::string amount_text(std::string_view name, std::uint64_t amount);
/// Ray's form: `{num_cpus, num_gpus, memory, resources: {name: amount}}`, zeros included.
json to_json(const resources& x);
/// "2 num_cpus, 8GiB memory"; "nothing" when empty.
std::string to_string(const resources& x);

/// Whether `name` may name a resource of the operator's own: 1 to 64 letters, digits, `_ - . : /`, and none of
/// `num_cpus`, `num_gpus`, `memory`, `max_replicas` and Ray's `CPU`, `GPU`, `object_store_memory`.
bool is_custom_resource(std::string_view name);

} // namespace troupe
