// What happens when a client goes away: one function and one object, without an allocation of its own.
#pragma once

#include <functional>
#include <utility>

namespace troupe::http {

/// Fired at most once, on the connection's I/O thread; must be quick and not throw. Movable.
class disconnect_hook {
public:
  disconnect_hook() = default;
  /// `on_fire(object)` or else `on_drop(object)` is called, once.
  disconnect_hook(void* object, void (*on_fire)(void*), void (*on_drop)(void*)) noexcept
      : object_(object), fire_(on_fire), drop_(on_drop) {}
  explicit disconnect_hook(std::function<void()> f)
      : disconnect_hook(
            new std::function<void()>(std::move(f)),
            [](void* x) {
              auto* own = static_cast<std::function<void()>*>(x);
              (*own)();
              delete own;
            },
            [](void* x) { delete static_cast<std::function<void()>*>(x); }) {}
  disconnect_hook(disconnect_hook&& other) noexcept
      : object_(std::exchange(other.object_, nullptr)), fire_(other.fire_), drop_(other.drop_) {}
  disconnect_hook& operator=(disconnect_hook&& other) noexcept {
    disconnect_hook old{std::move(other)};
    std::swap(object_, old.object_);
    std::swap(fire_, old.fire_);
    std::swap(drop_, old.drop_);
    return *this;
  }
  ~disconnect_hook() {
    if (object_)
      drop_(object_);
  }

  explicit operator bool() const noexcept { return object_ != nullptr; }
  void fire() {
    if (auto* object = std::exchange(object_, nullptr))
      fire_(object);
  }

private:
  void* object_ = nullptr;
  void (*fire_)(void*) = nullptr;
  void (*drop_)(void*) = nullptr;
};

} // namespace troupe::http
