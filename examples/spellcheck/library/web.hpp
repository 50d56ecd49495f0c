// The speller behind HTTP: POST a text, get JSON.
//
//   $ curl --data 'a frobnicate license' http://127.0.0.1:8000/
//   {"edition":1,"unknown":["frobnicate"],"version":1,"words":3}
#pragma once

#include "../speller.hpp"
#include <troupe/messages/http.hpp>

#include <string>
#include <utility>

namespace spellcheck {

/// `Speller` is one of the versions; what it answers to programs it still does.
template <class Speller>
class web : public Speller {
public:
  using calls = troupe::signatures<troupe::response(troupe::request), spelling(passage)>;
  using Speller::Speller;
  using Speller::operator();

  troupe::response operator()(const troupe::request& request) {
    if (request.method != "POST" || request.body.empty()) {
      auto answer = troupe::response::text(405, "POST the text to check\n");
      answer.headers.push_back({"Allow", "POST"});
      return answer;
    }
    const auto found = Speller::operator()(passage{request.body});
    troupe::json out{{"version", found.version}, {"edition", found.edition}, {"words", found.words}};
    out["unknown"] = found.unknown;
    for (const auto& s : found.suggestions)
      out["suggestions"][s.word] = s.instead;
    // A text need not be UTF-8, JSON must.
    return troupe::response::json(200, out.dump(-1, ' ', false, troupe::json::error_handler_t::replace) + "\n");
  }
};

} // namespace spellcheck
