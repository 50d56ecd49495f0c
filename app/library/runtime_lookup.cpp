// Adds the application to names that have none.
#include <troupe/app/library/runtime_lookup.hpp>
#include <troupe/app/runtime/runtime.hpp>

#include <mutex>
#include <utility>

namespace troupe::library {

runtime_lookup::runtime_lookup(const runtime& in, std::string application)
    : runtime_(&in), application_(std::move(application)) {}

std::shared_ptr<router> runtime_lookup::find(std::string_view name, const std::vector<signature_info>& wanted) const {
  const std::shared_lock guard{mutex_};
  if (!runtime_)
    throw command_failed{{errc::runtime_stopped, "the runtime is gone"}};
  const bool whole = name.find('/') != std::string_view::npos;
  return runtime_->find_router(whole ? std::string{name} : application_ + "/" + std::string{name}, wanted);
}

void runtime_lookup::close() {
  const std::unique_lock guard{mutex_};
  runtime_ = nullptr;
}

} // namespace troupe::library
