// The command line.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace spellcheck {

struct options {
  std::uint32_t replicas = 10;                          ///< 1 to 100.
  std::uint32_t clients = 4;                            ///< Actors; 1 to 64. A thread comes on top.
  std::chrono::duration<double> pause{1.5};             ///< Between two steps, for people.
  std::string dictionary = "/usr/share/hunspell/en_US"; ///< Without .aff and .dic.
  std::vector<std::string> files;                       ///< Never empty.
  bool plain = false;                                   ///< Lines even in a terminal.
};

/// The options, or the exit code when there is nothing more to do: after --help 0, after a mistake (told on stderr) 2.
struct command_line {
  std::optional<options> given;
  int exit_code = 0;
};
command_line parse(int argc, char** argv);

} // namespace spellcheck
