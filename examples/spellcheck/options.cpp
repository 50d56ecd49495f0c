// Reads the command line with Boost.Program_options.
#include "options.hpp"

#include "texts.hpp"

#include <boost/program_options.hpp>

#include <iostream>
#include <stdexcept>

namespace spellcheck {

namespace po = boost::program_options;

namespace {

void check_range(const char* name, std::uint32_t value, std::uint32_t most) {
  if (value < 1 || value > most)
    throw std::runtime_error(std::string("--") + name + " must be 1 to " + std::to_string(most));
}

} // namespace

command_line parse(int argc, char** argv) {
  options o;
  double duration = 0;
  po::options_description visible("options");
  visible.add_options()                                                                                           //
      ("help,h", "show this")                                                                                     //
      ("replicas,n", po::value(&o.replicas)->default_value(o.replicas), "replicas to begin with, 1 to 100")       //
      ("clients,c", po::value(&o.clients)->default_value(o.clients), "client actors, 1 to 64; a thread is added") //
      ("duration,d", po::value(&duration)->default_value(12, "12"),
       "seconds that the pauses between steps take together") //
      ("fast", "no pauses: --duration 0")                     //
      ("plain", "print lines, also in a terminal")            //
      ("dictionary", po::value(&o.dictionary)->default_value(o.dictionary), "path without .aff and .dic");
  po::options_description all;
  all.add(visible).add_options()("file", po::value(&o.files), "");
  po::positional_options_description files;
  files.add("file", -1);
  try {
    po::variables_map given;
    po::store(po::command_line_parser(argc, argv).options(all).positional(files).run(), given);
    po::notify(given);
    if (given.contains("help")) {
      std::cout << "usage: spellcheck [options] [file...]\n\n"
                   "Checks the spelling of text files (without any: /usr/share/common-licenses) with a deployment of\n"
                   "hunspell replicas, which is reconfigured, updated, rolled back and scaled meanwhile. Ends with a\n"
                   "verdict; exit code 0: every promise was kept, 1: not, 2: wrong usage, 130: interrupted.\n\n"
                << visible;
      return {std::nullopt, 0};
    }
    check_range("replicas", o.replicas, 100);
    check_range("clients", o.clients, 64);
    if (!(duration >= 0 && duration <= 3600))
      throw std::runtime_error("--duration must be 0 to 3600");
    o.pause = std::chrono::duration<double>(given.contains("fast") ? 0 : duration / 6);
    o.plain = given.contains("plain");
  } catch (const std::exception& e) {
    std::cerr << "spellcheck: " << e.what() << "; see --help\n";
    return {std::nullopt, 2};
  }
  if (o.files.empty())
    o.files = default_files();
  return {o, 0};
}

} // namespace spellcheck
