// libFuzzer's entry for config files, as YAML and as JSON. Corpus: fuzz/corpus/config.
#include "config_file.hpp"

#include <cstddef>
#include <cstdint>

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  troupe::fuzz::config_file({reinterpret_cast<const char*>(data), size});
  return 0;
}
