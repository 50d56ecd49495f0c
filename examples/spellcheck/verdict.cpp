// Prints the table.
#include "verdict.hpp"

#include "show.hpp"

#include <cmath>
#include <cstdio>

namespace spellcheck {

namespace {

std::vector<std::string> broken_promises(const std::vector<update>& updates, const ledger& book) {
  std::vector<std::string> lines;
  for (const auto& u : updates) {
    if (!u.broken.empty())
      lines.push_back(u.name + ": " + u.broken);
    if (u.fewest < u.floor)
      lines.push_back(u.name + ": only " + std::to_string(u.fewest) +
                      " replicas were available at one moment, promised were " + std::to_string(u.floor));
  }
  if (book.failed_count() > 0)
    lines.push_back(grouped(book.failed_count()) + " requests failed, promised were none");
  if (book.wrong_count() > 0)
    lines.push_back(grouped(book.wrong_count()) + " answers were wrong");
  const auto ended = book.answered_count() + book.failed_count();
  if (ended != book.sent_count())
    lines.push_back(grouped(book.sent_count()) + " requests were sent, but " + grouped(ended) + " had an outcome");
  if (book.answered_count() == 0)
    lines.push_back("no request was answered");
  return lines;
}

} // namespace

bool print_verdict(const std::vector<update>& updates, const ledger& book) {
  std::printf("\n%-34s %s\n", "", "available replicas");
  std::printf("%-34s %9s %9s %10s  %s\n", "update", "promised", "fewest", "took", "each wave, in ms");
  for (const auto& u : updates) {
    std::string waves;
    for (const auto& w : u.waves)
      waves += std::to_string(std::lround(w.count() * 1000)) + " ";
    if (u.cut_short)
      waves += "(one did not end)";
    std::printf("%-34s %9u %9u %8s s  %s\n", u.name.c_str(), u.floor, u.fewest, in_seconds(u.took).c_str(),
                waves.empty() ? "-" : waves.c_str());
  }
  std::putchar('\n');
  std::printf("requests sent %s, answered %s, failed %s, wrong answers %s\n", grouped(book.sent_count()).c_str(),
              grouped(book.answered_count()).c_str(), grouped(book.failed_count()).c_str(),
              grouped(book.wrong_count()).c_str());
  const auto broken = broken_promises(updates, book);
  for (const auto& text : broken)
    std::printf("BROKEN: %s\n", text.c_str());
  if (!broken.empty())
    for (const auto& text : book.complaints())
      std::printf("        %s\n", text.c_str());
  else
    std::printf("verdict: every promise was kept\n");
  return broken.empty();
}

} // namespace spellcheck
