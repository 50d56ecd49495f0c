// Finds the type of handle for a list of call signatures, or for what a class lists.
#pragma once

#include <troupe/actors/replica/code.hpp>
#include <troupe/app/deployment/class_traits.hpp>
#include <troupe/app/handle/handle.hpp>

#include <string>
#include <type_traits>
#include <vector>

namespace troupe::detail {

/// `handle<Sigs...>` for a list of signatures, or for what a class lists.
template <class... Ts>
struct handle_type {
  using type = handle<Ts...>;
  static std::vector<signature_info> wanted() { return {signature_info{key_of<Ts>, std::string{name_of<Ts>}}...}; }
};
template <class... Sigs>
struct handle_type<signatures<Sigs...>> : handle_type<Sigs...> {};
template <class T>
requires std::is_class_v<T>
struct handle_type<T> : handle_type<deployment::calls_of<T>> {
};

} // namespace troupe::detail
