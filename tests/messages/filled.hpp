// Values whose every inspected field differs from its default and from its neighbours.
#pragma once

#include <troupe/messages/caf_compat.hpp>
#include <troupe/messages/json_doc.hpp>

#include <caf/meta/annotation.hpp>

#include <chrono>
#include <string>
#include <type_traits>
#include <vector>

namespace troupe {

class filler {
public:
  using result_type = void;

  template <class... Fields>
  void operator()(Fields&&... fields) {
    (fill(fields), ...);
  }

private:
  template <class T>
  void fill(T& x) {
    using type = std::remove_cv_t<T>;
    if constexpr (std::is_base_of_v<caf::meta::annotation, type>) {
    } else if constexpr (std::is_same_v<type, json_doc>) {
      x = json_doc{json{{"n", ++count_}, {"text", "ä\n\"\\"}, {"list", {nullptr, true, 1.5}}}};
    } else if constexpr (requires { typename type::signatures; }) { // an actor's handle: null
    } else if constexpr (std::is_same_v<type, bool>) {
      x = !x;
    } else if constexpr (std::is_enum_v<type>) {
      x = last_enumerator(x);
    } else if constexpr (std::is_arithmetic_v<type>) {
      const auto next = std::int64_t{1000} + ++count_;
      x = static_cast<type>(next);
    } else if constexpr (std::is_same_v<type, std::string>) {
      x = "text " + std::to_string(++count_);
    } else if constexpr (requires { x.value(); }) { // optional
      x = std::remove_reference_t<decltype(*x)>{};
      fill(*x);
    } else if constexpr (requires { x.count(); }) {
      x = type{1'000'000 + ++count_};
    } else if constexpr (requires { x.resize(2); }) {
      x.resize(2);
      for (auto& element : x)
        fill(element);
    } else {
      inspect(*this, x);
    }
  }

  int count_ = 0;

  template <class T>
  friend T filled();
};

template <class T>
T filled() {
  T result{};
  filler f;
  f.fill(result);
  return result;
}

} // namespace troupe
