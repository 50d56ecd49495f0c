// Makes CAF know the message types and how to print the errors.
#include <troupe/messages/all_messages.hpp>
#include <troupe/messages/error.hpp>
#include <troupe/messages/registry.hpp>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/make_message.hpp>

#include <cstdint>
#include <string>
#include <typeinfo>

namespace troupe {
namespace {

constexpr caf::atom_value category = caf::detail::error_factory<errc>::category;

// Not `add_error_category<errc>`, which does not compile in 0.17.6.
std::string render(std::uint8_t code, caf::atom_value, const caf::message& context) {
  const auto text = context.match_elements<std::string>() ? context.get_as<std::string>(0) : std::string{};
  return to_string(error{static_cast<errc>(code), text});
}

template <class... Ts>
void add(caf::actor_system_config& config, wire::type_list<Ts...>) {
  (config.add_message_type<Ts>(wire::name_of<Ts>()), ...);
}

template <class T>
bool knows(const caf::actor_system& sys) {
  return sys.types().portable_name(0, &typeid(T)) == wire::name_of<T>();
}

} // namespace

void register_messages(caf::actor_system_config& config) {
  add(config, wire::all_messages{});
  config.add_error_category(category, render);
}

bool has_messages(const caf::actor_system& sys) {
  // One type stands for all: they are only ever added together.
  return knows<deploy_deployment>(sys) && sys.config().error_renderers.count(category) != 0;
}

} // namespace troupe
