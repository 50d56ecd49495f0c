// Makes `code` of a user's class.
#pragma once

#include <troupe/app/deployment/adapter.hpp>

#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace troupe {

namespace deployment {

template <class... Sigs>
std::vector<signature_info> describe(signatures<Sigs...>) {
  return {signature_info{key_of<Sigs>, std::string{name_of<Sigs>}}...};
}

template <class T>
code_traits traits_of(bool with_init_args) {
  return {std::string{name_of<T>}, describe(calls_of<T>{}), with_init_args, has_reconfigure<T>, has_check_health<T>};
}

/// Calls T's constructor.
template <class T>
struct constructs {
  T operator()(const json& init_args) const {
    if constexpr (takes_init_args<T>)
      return T(init_args);
    else
      return T();
  }
};

/// Immutable; `Factory` is called from many threads at a time.
template <class T, class Storage, class Factory>
class class_code final : public code {
public:
  class_code(Factory make, bool with_init_args) : make_(std::move(make)), traits_(traits_of<T>(with_init_args)) {}
  const code_traits& traits() const noexcept override { return traits_; }
  std::unique_ptr<instance> construct(const json& init_args) const override {
    return std::make_unique<adapter<T, Storage>>([&]() -> Storage {
      if constexpr (std::is_invocable_v<const Factory&, const json&>)
        return make_(init_args);
      else
        return make_();
    });
  }

  call_ptr read_call(signature_key key, std::string_view request, wire_receiver& to, std::uint64_t id) const override {
    return read(calls_of<T>{}, key, request, to, id);
  }

private:
  template <class... Sigs>
  static call_ptr read(signatures<Sigs...>, signature_key key, std::string_view request, wire_receiver& to,
                       std::uint64_t id) {
    call_ptr out;
    ((key == key_of<Sigs> && (out = wire_call<Sigs>::make(request, to, id), true)) || ...);
    return out;
  }

  Factory make_;
  code_traits traits_;
};

/// What a factory returns; void when it cannot be called.
template <class Factory>
consteval auto made_by() {
  if constexpr (std::is_invocable_v<const Factory&, const json&>)
    return std::type_identity<std::invoke_result_t<const Factory&, const json&>>{};
  else if constexpr (std::is_invocable_v<const Factory&>)
    return std::type_identity<std::invoke_result_t<const Factory&>>{};
  else
    return std::type_identity<void>{};
}

} // namespace deployment

/// The code of class T, constructed from its init_args (`const json&`) where it has such a constructor, else from
/// nothing.
template <class T>
std::shared_ptr<const code> make_code() {
  if constexpr (deployment::check_class<T>()) {
    constexpr bool constructible = deployment::takes_init_args<T> || std::is_default_constructible_v<T>;
    static_assert(constructible,
                  "the class cannot be constructed: give it a public constructor that takes nothing or `const "
                  "troupe::json&` (its init_args), or pass a factory");
    using code_type = deployment::class_code<T, T, deployment::constructs<T>>;
    if constexpr (constructible)
      return std::make_shared<code_type>(deployment::constructs<T>{}, deployment::takes_init_args<T>);
  }
  return nullptr;
}

/// The code of class T, made by `factory`: `T()` or `std::unique_ptr<T>()`, from nothing or from `const json&`. It is
/// called on the replicas' threads, many at a time.
template <class T, class Factory>
std::shared_ptr<const code> make_code(Factory factory) {
  if constexpr (deployment::check_class<T>()) {
    using made = typename decltype(deployment::made_by<Factory>())::type;
    constexpr bool usable = std::is_same_v<made, T> || std::is_same_v<made, std::unique_ptr<T>>;
    static_assert(usable, "a factory returns the class or a std::unique_ptr of it, from nothing or from `const "
                          "troupe::json&`; it is called on many threads, so it must be callable when const");
    using code_type = deployment::class_code<T, made, Factory>;
    if constexpr (usable)
      return std::make_shared<code_type>(std::move(factory), std::is_invocable_v<const Factory&, const json&>);
  }
  return nullptr;
}

} // namespace troupe
