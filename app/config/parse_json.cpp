// JSON texts: nlohmann's parser for the value; a second walk over the text, known to be good by then, for the places.
#include <troupe/app/config/parsers.hpp>
#include <troupe/messages/spec_fields.hpp>
#include <troupe/messages/text.hpp>

#include <set>
#include <utility>

namespace troupe::config {
namespace {

// Accepts everything; keeps the first fault.
class fault_finder : public nlohmann::json_sax<json> {
public:
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return true; }
  bool key(string_t&) override { return true; }
  bool end_object() override { return true; }
  bool start_array(std::size_t) override { return true; }
  bool end_array() override { return true; }

  bool parse_error(std::size_t position, const std::string&, const json::exception& why) override {
    offset = position == 0 ? 0 : position - 1;
    sentence = why.what();
    // "[json.exception...] parse error at line 1, column 5: syntax error while ..."
    if (const auto end = sentence.find("] "); end != std::string::npos)
      sentence.erase(0, end + 2);
    if (sentence.starts_with("parse error at "))
      sentence.erase(0, std::min(sentence.size(), sentence.find(": ") + 2));
    return false;
  }

  std::size_t offset = 0;
  std::string sentence;
};

// Walks over JSON that is known to be good.
class walker {
public:
  walker(std::string_view text, source& to, std::vector<problem>& errors) : text_(text), to_(to), errors_(errors) {}

  void walk() { value(to_.root, 0); }

private:
  void value(place& p, int level) {
    skip_space();
    p.line = line_;
    p.column = column();
    if (text_[at_] == '{' || text_[at_] == '[')
      parts(p, level);
    else if (text_[at_] == '"')
      skip_string();
    else
      while (at_ < text_.size() && std::string_view{",]} \t\r\n"}.find(text_[at_]) == std::string_view::npos)
        ++at_;
  }

  void parts(place& p, int level) {
    const bool is_object = text_[at_++] == '{';
    std::set<std::string, std::less<>> keys;
    for (skip_space(); text_[at_] != '}' && text_[at_] != ']'; skip_space()) {
      place part;
      const position here{line_, column()};
      if (is_object) {
        part.key = key();
        if (!keys.insert(part.key).second && errors_.size() < max_problems)
          errors_.push_back(
              syntax_problem(to_, here, "the key \"" + spec_fields::excerpt_of_key(part.key) + "\" is given twice"));
        skip_space();
        ++at_; // the colon
      }
      value(part, level + 1);
      if (is_object) { // errors about a member point at its name
        part.line = here.line;
        part.column = here.column;
      }
      if (level < place::max_levels && count_ < place::max_count) {
        ++count_;
        p.parts.push_back(std::move(part));
      }
      skip_space();
      if (text_[at_] == ',')
        ++at_;
    }
    ++at_;
  }

  std::string key() {
    const auto begin = at_;
    skip_string();
    const auto quoted = text_.substr(begin, at_ - begin);
    if (quoted.find('\\') == std::string_view::npos)
      return std::string(quoted.substr(1, quoted.size() - 2));
    return json::parse(quoted).get<std::string>();
  }

  void skip_string() {
    for (++at_; text_[at_] != '"'; ++at_)
      if (text_[at_] == '\\')
        ++at_;
    ++at_;
  }

  void skip_space() {
    for (; at_ < text_.size(); ++at_)
      if (text_[at_] == '\n') {
        ++line_;
        line_begin_ = at_ + 1;
      } else if (text_[at_] != ' ' && text_[at_] != '\t' && text_[at_] != '\r') {
        return;
      }
  }

  std::uint32_t column() const { return static_cast<std::uint32_t>(at_ - line_begin_ + 1); }

  std::string_view text_;
  source& to_;
  std::vector<problem>& errors_;
  std::size_t at_ = 0;
  std::size_t line_begin_ = 0;
  std::uint32_t line_ = 1;
  std::size_t count_ = 0;
};

} // namespace

bool parse_json(std::string_view text, source& to, std::vector<problem>& errors) {
  if (const auto deep = find_deeper_than(text, max_text_depth); deep != std::string_view::npos) {
    errors.push_back(
        syntax_problem(to, position_of(text, deep), "nests deeper than " + std::to_string(max_text_depth) + " levels"));
    return false;
  }
  fault_finder faults;
  if (!json::sax_parse(text, &faults)) {
    errors.push_back(syntax_problem(to, position_of(text, faults.offset), "not JSON: " + faults.sentence));
    return false;
  }
  to.value = json::parse(text);
  walker{text, to, errors}.walk();
  return true;
}

} // namespace troupe::config
