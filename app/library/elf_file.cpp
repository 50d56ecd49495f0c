// The dynamic table, the dynamic symbols and our own section, by libelf.
#include <troupe/app/library/elf_file.hpp>
#include <troupe/app/library/entry.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <cxxabi.h>
#include <gelf.h>
#include <memory>
#include <sys/stat.h>

namespace troupe::library {

namespace {

#if defined(__x86_64__)
constexpr std::uint16_t this_machine = EM_X86_64;
#elif defined(__aarch64__)
constexpr std::uint16_t this_machine = EM_AARCH64;
#else
#error "which e_machine do libraries of this architecture have?"
#endif

std::string name_of_machine(std::uint16_t machine) {
  switch (machine) {
  case EM_X86_64:
    return "x86-64";
  case EM_AARCH64:
    return "aarch64";
  case EM_386:
    return "i386";
  case EM_ARM:
    return "arm";
  case EM_RISCV:
    return "risc-v";
  default:
    return "e_machine " + std::to_string(machine);
  }
}

std::string name_of_type(std::uint16_t type) {
  switch (type) {
  case ET_REL:
    return "an object file (.o)";
  case ET_EXEC:
    return "a program";
  case ET_CORE:
    return "a core dump";
  default:
    return "of type " + std::to_string(type);
  }
}

error bad(const std::string& why) { return {errc::invalid_spec, why}; }
error truncated(const std::string& what) { return bad("is truncated or damaged: " + what); }

struct closed {
  void operator()(Elf* x) const { elf_end(x); }
};

class reader {
public:
  reader(Elf* elf, std::uint64_t file_size) : elf_(elf), file_size_(file_size) {}

  result<elf_facts> read() {
    GElf_Ehdr header;
    if (!gelf_getehdr(elf_, &header))
      return truncated("it has no whole header");
    if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
        header.e_machine != this_machine)
      return bad("is for another machine: " + name_of_machine(header.e_machine) +
                 (header.e_ident[EI_CLASS] != ELFCLASS64 ? ", 32-bit" : "") + "; this one is " +
                 name_of_machine(this_machine));
    if (header.e_type != ET_DYN)
      return bad("is no shared library but " + name_of_type(header.e_type));
    if (header.e_shoff + std::uint64_t{header.e_shnum} * header.e_shentsize > file_size_)
      return truncated("its section table ends behind its end");
    for (const auto step : {&reader::segments, &reader::sections})
      if (const auto why = (this->*step)(); !why.empty())
        return truncated(why);
    if (!has_dynamic_)
      return bad("is no shared library: it has no dynamic table");
    return std::move(facts_);
  }

private:
  std::string segments() {
    std::size_t count = 0;
    if (elf_getphdrnum(elf_, &count) != 0)
      return "its segment table is not readable";
    for (std::size_t i = 0; i < count; ++i) {
      GElf_Phdr segment;
      if (!gelf_getphdr(elf_, static_cast<int>(i), &segment))
        return "its segment table is not readable";
      if (segment.p_type == PT_LOAD &&
          (segment.p_offset + segment.p_filesz < segment.p_offset || segment.p_offset + segment.p_filesz > file_size_))
        return "a segment ends behind its end";
      if (segment.p_type == PT_DYNAMIC)
        has_dynamic_ = true;
    }
    return {};
  }

  std::string sections() {
    std::size_t names = 0;
    if (elf_getshdrstrndx(elf_, &names) != 0)
      return "its section names are not readable";
    for (auto* section = elf_nextscn(elf_, nullptr); section; section = elf_nextscn(elf_, section)) {
      GElf_Shdr header;
      if (!gelf_getshdr(section, &header))
        return "a section is not readable";
      if (header.sh_type != SHT_NOBITS && header.sh_offset + header.sh_size > file_size_)
        return "a section ends behind its end";
      const char* name = elf_strptr(elf_, names, header.sh_name);
      const bool ours = name && std::string_view{name} == TROUPE_ABI_SECTION;
      if (header.sh_type != SHT_DYNAMIC && header.sh_type != SHT_DYNSYM && !ours)
        continue;
      auto* data = elf_getdata(section, nullptr);
      if (!data || (!data->d_buf && data->d_size > 0))
        return "a section is not readable";
      if (ours)
        tags(*data);
      else if (header.sh_type == SHT_DYNAMIC)
        dynamic(*data, header);
      else
        symbols(*data, header);
    }
    return {};
  }

  void tags(const Elf_Data& data) {
    const auto* bytes = static_cast<const char*>(data.d_buf);
    for (std::size_t at = 0; at + abi_tag::capacity <= data.d_size; at += abi_tag::capacity)
      facts_.abi.emplace_back(bytes + at, ::strnlen(bytes + at, abi_tag::capacity));
  }

  void dynamic(Elf_Data& data, const GElf_Shdr& header) {
    const auto text = [&](const GElf_Dyn& x) {
      const char* s = elf_strptr(elf_, header.sh_link, x.d_un.d_val);
      return std::string{s ? s : ""};
    };
    std::string run_path, r_path;
    GElf_Dyn x;
    for (int i = 0; gelf_getdyn(&data, i, &x) && x.d_tag != DT_NULL; ++i) {
      const auto at = header.sh_offset + static_cast<std::uint64_t>(i) * header.sh_entsize;
      auto& init = facts_.initialisers;
      switch (x.d_tag) {
      case DT_NEEDED:
        facts_.needed.push_back(text(x));
        break;
      case DT_SONAME:
        facts_.soname = text(x);
        break;
      case DT_RUNPATH:
        run_path = text(x);
        break;
      case DT_RPATH:
        r_path = text(x);
        break;
      case DT_SYMBOLIC:
        facts_.symbolic = true;
        break;
      case DT_FLAGS:
        facts_.symbolic = facts_.symbolic || (x.d_un.d_val & DF_SYMBOLIC) != 0;
        break;
      case DT_INIT:
        init.init = x.d_un.d_ptr;
        init.init_entry_at = at;
        break;
      case DT_INIT_ARRAY:
        init.array = x.d_un.d_ptr;
        break;
      case DT_INIT_ARRAYSZ:
        init.array_bytes = x.d_un.d_val;
        init.array_size_at = at;
        break;
      default:
        break;
      }
    }
    split(run_path.empty() ? r_path : run_path);
  }

  void split(const std::string& folders) {
    for (std::size_t from = 0; from < folders.size();) {
      const auto to = std::min(folders.find(':', from), folders.size());
      if (to > from)
        facts_.search.push_back(folders.substr(from, to - from));
      from = to + 1;
    }
  }

  void symbols(Elf_Data& data, const GElf_Shdr& header) {
    GElf_Sym x;
    for (int i = 1; gelf_getsym(&data, i, &x); ++i) {
      const char* name = elf_strptr(elf_, header.sh_link, x.st_name);
      const auto bind = GELF_ST_BIND(x.st_info), type = GELF_ST_TYPE(x.st_info);
      if (!name || !*name || bind == STB_LOCAL)
        continue;
      const auto visible = GELF_ST_VISIBILITY(x.st_other);
      const bool here = x.st_shndx != SHN_UNDEF;
      if (here && visible != STV_DEFAULT && visible != STV_PROTECTED)
        continue;
      facts_.symbols.push_back(
          {name, here, bind == STB_WEAK, bind == STB_GNU_UNIQUE, type == STT_FUNC || type == STT_GNU_IFUNC});
    }
  }

  Elf* elf_;
  std::uint64_t file_size_;
  elf_facts facts_;
  bool has_dynamic_ = false;
};

} // namespace

std::vector<std::string> elf_facts::applications() const {
  std::vector<std::string> out;
  for (const auto& s : symbols)
    if (s.defined && s.name.starts_with(entry_prefix))
      out.push_back(s.name.substr(entry_prefix.size()));
  std::sort(out.begin(), out.end());
  return out;
}

result<elf_facts> read_elf(int fd) {
  struct stat about {};
  std::array<char, SELFMAG> magic{};
  if (::fstat(fd, &about) != 0 || ::pread(fd, magic.data(), magic.size(), 0) != SELFMAG ||
      std::memcmp(magic.data(), ELFMAG, SELFMAG) != 0)
    return bad(about.st_size == 0 ? "is empty" : "is no ELF file, so it cannot be a shared library");
  elf_version(EV_CURRENT);
  const std::unique_ptr<Elf, closed> elf{elf_begin(fd, ELF_C_READ, nullptr)};
  if (!elf || elf_kind(elf.get()) != ELF_K_ELF)
    return truncated("it has no whole header");
  return reader{elf.get(), static_cast<std::uint64_t>(about.st_size)}.read();
}

std::string demangled(const std::string& name) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text{abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status),
                                                    std::free};
  return status == 0 && text ? text.get() : name;
}

bool is_of_standard_library(std::string_view mangled) {
  // Itanium C++ ABI, 5.1: St is ::std, Sa Sb Ss Si So Sd are abbreviations of its names; the prefixes are those of
  // special names, of nested names with qualifiers, and of entities local to a function.
  constexpr std::array<std::string_view, 8> special{"TV", "TI", "TS", "TT", "GV", "GR", "Th", "TW"};
  if (!mangled.starts_with("_Z"))
    return false;
  mangled.remove_prefix(2);
  for (const auto& s : special)
    if (mangled.starts_with(s)) {
      mangled.remove_prefix(s.size());
      break;
    }
  while (!mangled.empty() && std::string_view{"ZNKVRO"}.find(mangled.front()) != std::string_view::npos)
    mangled.remove_prefix(1);
  for (const auto s : {"St", "Sa", "Sb", "Ss", "Si", "So", "Sd", "9__gnu_cxx", "10__cxxabiv1"})
    if (mangled.starts_with(s))
      return true;
  return false;
}

} // namespace troupe::library
