// The user code of our simulation: does as it is told, and keeps the books.
#pragma once

#include "books.hpp"
#include <troupe/app/deployment/make_code.hpp>

#include <memory>
#include <stdexcept>

namespace troupe::simulation_tests {

/// `init_args` {"bad": true}: the constructor throws; `user_config` {"bad": true}: so does reconfigure.
class worker {
public:
  using calls = signatures<task_done(quick_task), task_done(slow_task)>;

  worker(books& b, const json& init_args) : books_(b) {
    if (init_args.is_object() && init_args.contains("bad"))
      throw std::runtime_error("this version does not start");
    object_ = books_.constructed();
  }
  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;
  ~worker() { books_.destroyed(object_); }

  void reconfigure(const json& user_config) {
    if (user_config.is_object() && user_config.contains("bad"))
      throw std::runtime_error("this config is not accepted");
    books_.reconfigured(object_, user_config);
  }

  void check_health() {}

  task_done operator()(quick_task task, const request_context& ctx) {
    books_.begun(object_, task.number, ctx);
    books_.ended(object_);
    if (books_.request(task.number).kind == task_kind::throws)
      throw std::runtime_error("this request is not liked");
    return {task.number};
  }

  void operator()(slow_task task, const request_context& ctx, promise<task_done> answer) {
    books_.begun(object_, task.number, ctx);
    books_.hold(object_, task.number, std::move(answer));
  }

private:
  books& books_;
  std::uint32_t object_ = 0;
};

inline std::shared_ptr<const code> worker_code(books& b) {
  return make_code<worker>([&b](const json& init_args) { return std::make_unique<worker>(b, init_args); });
}

} // namespace troupe::simulation_tests
