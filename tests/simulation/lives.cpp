// The process of a scenario may crash at any step: the next one takes up what is on disk (invariant 8).
#include "scenario.hpp"

#include <caf/send.hpp>

#include <utility>

namespace troupe::simulation_tests {

using namespace std::chrono_literals;

scenario::~scenario() {
  if (store_)
    store_->crash(); // writes that wait hold actors
}

void scenario::begin_life() {
  simulation_ = std::make_unique<testing::simulation>(
      testing::simulation_options{.seed = options_.seed,
                                  .life = result_.crashes,
                                  .store = store_,
                                  .max_replicas = max_replicas_,
                                  .local = options_.on_nodes ? resources{} : local_,
                                  .on_nodes = options_.on_nodes,
                                  .trace_lines = options_.trace_lines,
                                  .wrong = options_.wrong,
                                  .config = options_.config});
  code_ = user_code_;
  if (result_.in_workers) {
    workers_ = std::make_unique<simulated_workers>(fate_.next());
    workers_->attach(*simulation_);
    workers_->allow_faults(faulty_);
    code_ = workers_->code_for(user_code_, "worker");
  }
  if (options_.on_nodes) {
    nodes_ = std::make_unique<simulated_nodes>(geography_.next(), machines_, max_replicas_, stored_nodes_);
    nodes_->attach(*simulation_);
    nodes_->allow_faults(faulty_);
    nodes_->on_process_end = [this](std::uint32_t process) { books_.process_ended(process); };
    nodes_->on_peers_cut = [this] {
      for (std::size_t i = 0; i < books_.deployments(); ++i)
        ++books_.deployment(i).disturbances;
    };
    simulation_->messages().may_spoil = [this](const caf::message& m) {
      if (m.match_elements<lose_node>())
        books_.let_nodes_leave();
      return nodes_->look_at(m);
    };
    code_ = nodes_->code_for(user_code_, "worker");
  }
  books_.attach(*simulation_);
  if (faulty_)
    simulation_->allow_faults();
  simulation_->messages().loses = [this](const caf::message& m) {
    if (!m.match_elements<replica_stopped>())
      return false;
    for (std::size_t i = 0; i < books_.deployments(); ++i) // what waited for the replica has gone elsewhere
      ++books_.deployment(i).disturbances;
    return options_.wrong_request == wrong_request_rule::loses_stopped;
  };
  simulation_->use(faults_);
  if (result_.crashes == 0) // there is nothing to restore
    caf::anon_send(simulation_->controller(), restoration_finished{});
  if (!store_)
    return;
  store_->attach(*simulation_, fate_.one_in(3) ? 200ms : 5ms);
  if (faulty_)
    store_->failing_writes(fate_.one_in(4) ? fate_.between(1, 300) : 0);
}

void scenario::end_life() {
  result_.trace += simulation_->trace().tail(options_.trace_lines);
  result_.digest = result_.digest * 0x100000001b3U ^ simulation_->digest();
  result_.steps += simulation_->steps();
  for (auto& of_client : handles_)
    for (auto& h : of_client)
      h = {};
  overtaken_ = nullptr;
  if (store_)
    store_->crash();
  simulation_.reset();
  workers_.reset();
  code_.reset(); // it refers to the nodes
  if (nodes_) {
    result_.lost_nodes += nodes_->losses();
    result_.adopted += nodes_->adopted();
  }
  nodes_.reset();
}

void scenario::crash() {
  for (auto n = fate_.below(60); n > 0 && simulation_->step(); --n) {
  }
  --crashes_left_;
  simulation_->trace().line(simulation_->now().time_since_epoch(), [] { return "the process crashes"; });
  books_.crash();
  end_life();
  ++result_.crashes;
  begin_life();
  check_promises();
  simulation_->check();
  take_up();
}

void scenario::check_promises() {
  if (!store_)
    return;
  if (const auto text = ledger_.broken_by(store_->durable()); !text.empty())
    simulation_->report(8, text);
}

} // namespace troupe::simulation_tests
