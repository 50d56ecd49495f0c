// What the operator was promised: invariant 8, "what was acknowledged survives a crash at any point".
#pragma once

#include <troupe/messages/control.hpp>
#include <troupe/messages/stored_deployment.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace troupe::simulation_tests {

/// Knows the commands and their answers only, and compares them with what is on disk. A command without an answer may
/// or may not have taken effect.
class ledger {
public:
  enum class wish : std::uint8_t { deploy, remove, scale, pause, go_on, choose }; ///< choose: abort, rollback, restart.

  /// Returns the number of the command.
  std::size_t asked(const deployment_name& whom, wish what, std::uint32_t num_replicas = 0,
                    std::optional<deployment_spec> spec = {});
  /// The store has it, says the answer; `revision` is that of the target.
  void acknowledged(std::size_t number, std::uint64_t revision);
  /// It had no effect.
  void refused(std::size_t number);

  /// The first promise that the disk breaks; empty when it breaks none.
  std::string broken_by(const std::map<deployment_name, stored_deployment>& disk) const;

private:
  enum class state : std::uint8_t { open, kept, refused };
  struct command {
    wish what;
    std::uint32_t num_replicas = 0;
    std::optional<deployment_spec> spec;
    state now = state::open;
    std::uint64_t revision = 0;
  };

  // Each says what is broken; empty when nothing is.
  static std::string broken(const std::vector<const command*>& commands, const stored_deployment* stored);
  static std::string broken_revision(const command& c, const stored_deployment& stored);
  static std::string broken_count(const std::vector<const command*>& since, const stored_deployment& stored);
  static std::string broken_target(const command& last, const stored_deployment& stored);

  struct entry {
    deployment_name whom;
    command what;
  };
  std::vector<entry> commands_;
};

} // namespace troupe::simulation_tests
