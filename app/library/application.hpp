// The header for user code in a shared library: says which deployments the library offers.
//
//   #include <troupe/app/library/application.hpp>
//
//   struct speller { troupe::response operator()(const troupe::request&); };
//
//   TROUPE_APPLICATION(app) { app.deploy<speller>("speller"); }
//
// Built with troupe_add_library() of the CMake package it is deployed by `import_path: libspell.so:app`.
// docs/guide-shared-library.md goes through this step by step.
#pragma once

#include <troupe/app/deployment/make_code.hpp>
#include <troupe/app/deployment/promise.hpp>
#include <troupe/app/handle/handle.hpp>
#include <troupe/app/library/entry.hpp>
#include <troupe/app/library/peers.hpp>
#include <troupe/app/runtime/deployment_options.hpp>
#include <troupe/messages/http.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {

/// Takes down what a library offers while it is loaded. Confined to its thread; the library must not keep it. What the
/// functions throw, and what the library's own code throws meanwhile, becomes the error of that load.
class application_builder {
public:
  struct declared {
    deployment_spec defaults; ///< Its `application` means nothing: whoever deploys says it.
    std::shared_ptr<const code> user_code;
  };

  application_builder(json args, troupe::peers others) : args_(std::move(args)), peers_(std::move(others)) {}

  /// The application's `args` of the config file; null when it has none.
  const json& args() const noexcept { return args_; }
  /// Finds other deployments, for composition; see there when.
  const troupe::peers& peers() const noexcept { return peers_; }

  /// Declares a deployment: its name and the options that it has unless the config file says otherwise. Deployments are
  /// started in this order. Throws `std::invalid_argument` for a name that was used before or names an application.
  template <class T>
  application_builder& deploy(deployment_options defaults) {
    return deploy(std::move(defaults), make_code<T>());
  }
  /// `make` returns a T or a unique_ptr of one, from nothing or `const json&`; it is called on many threads.
  template <class T, class Factory>
  application_builder& deploy(deployment_options defaults, Factory make) {
    return deploy(std::move(defaults), make_code<T>(std::move(make)));
  }
  application_builder& deploy(deployment_options defaults, std::shared_ptr<const code> user_code) {
    const auto& spec = defaults.spec();
    if (!user_code)
      throw std::invalid_argument("deployment " + spec.name + " has no code");
    if (spec.application != deployment_spec{}.application)
      throw std::invalid_argument("deployment " + spec.application + "/" + spec.name +
                                  ": a library names its deployments alone; the config file names the application");
    for (const auto& d : deployments_)
      if (d.defaults.name == spec.name)
        throw std::invalid_argument("two deployments have the name " + spec.name);
    deployments_.push_back({spec, std::move(user_code)});
    return *this;
  }

  /// Which deployment gets the HTTP requests; unless said, the last declared one that answers them.
  application_builder& ingress(std::string_view name) {
    ingress_ = name;
    return *this;
  }

  // -- for the host
  const std::vector<declared>& deployments() const noexcept { return deployments_; }
  const std::string& chosen_ingress() const noexcept { return ingress_; } ///< Empty: none was chosen.

private:
  json args_;
  troupe::peers peers_;
  std::vector<declared> deployments_;
  std::string ingress_;
};

} // namespace troupe

/// Defines an application of a library: `TROUPE_APPLICATION(app) { app.deploy<my_class>("name"); }`. The name is what
/// stands after the colon of the import_path, and in the body a `troupe::application_builder&`.
// NOLINTBEGIN(bugprone-macro-parentheses): a parameter's name cannot have any
#define TROUPE_APPLICATION(name)                                                                                       \
  static void troupe_build_##name(::troupe::application_builder& name);                                                \
  __attribute__((section(TROUPE_ABI_SECTION), used)) static constexpr ::troupe::library::abi_tag troupe_abi_##name =   \
      ::troupe::library::this_abi();                                                                                   \
  extern "C" __attribute__((visibility("default"), used)) const ::troupe::library::entry troupe_application_##name = { \
      sizeof(::troupe::library::entry), ::troupe::library::entry::format, troupe_abi_##name.text,                      \
      [](void* builder, char* why, std::size_t capacity) noexcept -> std::int32_t {                                    \
        return ::troupe::library::guarded(                                                                             \
            [builder] { troupe_build_##name(*static_cast<::troupe::application_builder*>(builder)); }, why, capacity); \
      }};                                                                                                              \
  static void troupe_build_##name([[maybe_unused]] ::troupe::application_builder& name)
// NOLINTEND(bugprone-macro-parentheses)
