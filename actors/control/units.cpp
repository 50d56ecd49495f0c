// Workers are told by their dynamic types: CAF's units have no other mark.
#include <troupe/actors/control/local_queues.hpp>
#include <troupe/actors/control/units.hpp>

#include <caf/policy/profiled.hpp>
#include <caf/policy/work_sharing.hpp>
#include <caf/policy/work_stealing.hpp>
#include <caf/scheduler/coordinator.hpp>
#include <caf/scheduler/worker.hpp>

#include <typeinfo>

namespace troupe::control {

bool is_worker_of(const caf::execution_unit& unit, const caf::actor_system& sys) {
  using namespace caf;
  if (&unit.system() != &sys)
    return false;
  const auto& type = typeid(unit);
  return type == typeid(scheduler::worker<local_queues>) || type == typeid(scheduler::worker<policy::work_stealing>) ||
         type == typeid(scheduler::worker<policy::work_sharing>) ||
         type == typeid(scheduler::worker<policy::profiled<policy::work_stealing>>) ||
         type == typeid(scheduler::worker<policy::profiled<policy::work_sharing>>);
}

bool resume_once(caf::resumable* job, caf::execution_unit& unit, std::size_t turn) {
  switch (job->resume(&unit, turn)) {
  case caf::resumable::resume_later:
    return true;
  case caf::resumable::done:
  case caf::resumable::awaiting_message:
    caf::intrusive_ptr_release(job);
    break;
  case caf::resumable::shutdown_execution_unit:
    break;
  }
  return false;
}

} // namespace troupe::control
