// Each refusal names the thing and the cure.
#include <troupe/app/library/checks.hpp>
#include <troupe/app/library/entry.hpp>

#include <algorithm>
#include <dlfcn.h>
#include <map>
#include <numeric>

namespace troupe::library {

namespace {

/// Address-only tag of std::make_shared, in nearly every library; it holds nothing.
constexpr std::string_view harmless_unique = "_ZZNSt19_Sp_make_shared_tag5_S_tiEvE5__tag";

constexpr std::string_view cure =
    "build it with troupe_add_library() of troupe's CMake package, or with -fno-gnu-unique -fvisibility=hidden "
    "-Wl,-Bsymbolic -Wl,--exclude-libs,ALL";

std::map<std::string_view, std::string_view> lines_of(std::string_view tag) {
  std::map<std::string_view, std::string_view> out;
  while (!tag.empty()) {
    const auto end = std::min(tag.find('\n'), tag.size());
    const auto line = tag.substr(0, end);
    if (const auto equal = line.find('='); equal != std::string_view::npos)
      out.emplace(line.substr(0, equal), line.substr(equal + 1));
    tag.remove_prefix(std::min(end + 1, tag.size()));
  }
  return out;
}

std::size_t distance(std::string_view a, std::string_view b) { // Levenshtein's, one row at a time
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    auto diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const auto change = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({change, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

error no_application(const std::string& symbol, const std::vector<std::string>& offered) {
  auto text = "has no application \"" + symbol + "\"";
  const auto nearest = std::min_element(offered.begin(), offered.end(), [&](const auto& a, const auto& b) {
    return distance(symbol, a) < distance(symbol, b);
  });
  if (distance(symbol, *nearest) <= std::max<std::size_t>(symbol.size() / 3, 1))
    text += "; did you mean \"" + *nearest + "\"?";
  text += offered.size() == 1 ? " It has: " : " There are: ";
  for (std::size_t i = 0; i < offered.size(); ++i)
    text += (i == 0 ? "" : ", ") + offered[i];
  return {errc::invalid_spec, text};
}

std::string counted(const std::vector<const elf_symbol*>& which) {
  auto text = "`" + demangled(which.front()->name) + "`";
  if (which.size() > 1)
    text += " and " + std::to_string(which.size() - 1) + " more";
  return text;
}

} // namespace

std::optional<std::string> difference(std::string_view library_abi, std::string_view own) {
  if (library_abi == own)
    return std::nullopt;
  const auto theirs = lines_of(library_abi), ours = lines_of(own);
  std::string text;
  const auto add = [&](std::string_view what, std::string_view a, std::string_view b) {
    text += (text.empty() ? "" : "; ") + std::string{what} + ": the library has " + std::string{a} + ", this program " +
            std::string{b};
  };
  for (const auto& [what, value] : ours) {
    const auto x = theirs.find(what);
    if (x == theirs.end() || x->second != value)
      add(what, x == theirs.end() ? "none" : x->second, value);
  }
  for (const auto& [what, value] : theirs)
    if (!ours.contains(what))
      add(what, value, "none");
  return text.empty() ? "its tag is damaged" : text;
}

std::string own_abi() {
  static constexpr auto tag = this_abi();
  return tag.text;
}

bool program_defines(const std::string& symbol) { return ::dlsym(RTLD_DEFAULT, symbol.c_str()) != nullptr; }

std::optional<error> leaks(const elf_facts& facts, const defined_in_program& in_program) {
  std::vector<const elf_symbol*> unique, foreign;
  for (const auto& s : facts.symbols) {
    if (!s.defined)
      continue;
    if (s.unique && s.name != harmless_unique)
      unique.push_back(&s);
    else if (!s.unique && !facts.symbolic && !is_of_standard_library(s.name) && in_program(s.name))
      foreign.push_back(&s);
  }
  if (!unique.empty())
    return error{errc::invalid_spec, "would share static data with its other versions: " + counted(unique) +
                                         " is bound as STB_GNU_UNIQUE, one per process; " + std::string{cure}};
  if (!foreign.empty())
    return error{errc::invalid_spec,
                 "would use the program's " + counted(foreign) + " instead of its own; " + std::string{cure}};
  return std::nullopt;
}

std::optional<error> unfit(const elf_facts& facts, const std::string& symbol, const defined_in_program& in_program) {
  const auto offered = facts.applications();
  if (facts.abi.empty() || offered.empty())
    return error{errc::invalid_spec, "is a shared library, but offers no application: write TROUPE_APPLICATION(" +
                                         symbol + ") in one of its sources (troupe/app/library/application.hpp)"};
  const auto own = own_abi();
  for (const auto& tag : facts.abi)
    if (const auto why = difference(tag, own))
      return error{errc::invalid_spec, "was built for another program than this one; build it with this program's "
                                       "headers and compiler. " +
                                           *why};
  if (std::find(offered.begin(), offered.end(), symbol) == offered.end())
    return no_application(symbol, offered);
  return leaks(facts, in_program);
}

} // namespace troupe::library
