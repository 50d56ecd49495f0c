// Runs a fuzz target over files and folders of inputs, and over small changes of them, for compilers without libFuzzer.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using bytes = std::vector<std::uint8_t>;

void run(const bytes& x) { LLVMFuzzerTestOneInput(x.data(), x.size()); }

bytes read(const std::filesystem::path& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

/// A byte changed, a part left out or repeated.
bytes changed(bytes x, std::mt19937_64& random) {
  if (x.empty())
    return x;
  for (auto n = random() % 4 + 1; n > 0 && !x.empty(); --n) {
    const auto at = static_cast<std::ptrdiff_t>(random() % x.size());
    const auto length = static_cast<std::ptrdiff_t>(random() % (x.size() - static_cast<std::size_t>(at)) % 64);
    switch (random() % 4) {
    case 0:
      x[static_cast<std::size_t>(at)] = static_cast<std::uint8_t>(random());
      break;
    case 1:
      x.erase(x.begin() + at, x.begin() + at + length);
      break;
    case 2: {
      const bytes part{x.begin() + at, x.begin() + at + length};
      x.insert(x.begin() + at, part.begin(), part.end());
      break;
    }
    default:
      x[static_cast<std::size_t>(at)] ^= static_cast<std::uint8_t>(1U << random() % 8);
      break;
    }
  }
  return x;
}

} // namespace

/// driver [--changes N] PATH...: each file as it is, and N changed forms of it (default 200, always the same ones).
int main(int argc, char** argv) {
  std::vector<bytes> inputs;
  unsigned long changes = 200;
  for (int i = 1; i < argc; ++i) {
    const std::string arg = argv[i];
    if (arg == "--changes" && i + 1 < argc)
      changes = std::stoul(argv[++i]);
    else if (std::filesystem::is_directory(arg))
      for (const auto& entry : std::filesystem::recursive_directory_iterator(arg))
        inputs.push_back(read(entry.path()));
    else
      inputs.push_back(read(arg));
  }
  if (inputs.empty()) {
    std::cerr << "usage: " << argv[0] << " [--changes N] FILE-OR-FOLDER...\n";
    return 2;
  }
  std::mt19937_64 random{1}; // NOLINT(bugprone-random-generator-seed): the same inputs each time
  std::size_t runs = 0;
  for (const auto& x : inputs) {
    run(x);
    for (unsigned long i = 0; i < changes; ++i)
      run(changed(x, random));
    runs += changes + 1;
  }
  std::cout << runs << " inputs\n";
}
