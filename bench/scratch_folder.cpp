#include "scratch_folder.hpp"

#include <cstdlib>
#include <stdexcept>
#include <system_error>

namespace troupe::bench {

namespace fs = std::filesystem;

scratch_folder::scratch_folder() {
  auto name = (fs::temp_directory_path() / "troupe-bench-XXXXXX").string();
  if (!::mkdtemp(name.data()))
    throw std::runtime_error("no temporary folder");
  path_ = name;
}

scratch_folder::~scratch_folder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

} // namespace troupe::bench
