// What rules cost a message: a thousand of them, with map files of 100,000 entries. The promise is less than
// a millisecond, whatever the entries are.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>

#include "config/load.h"
#include "core/decide.h"
#include "mail/mime_tree.h"

namespace pixmilter {
namespace {

enum Entries { addresses, domains, subdomains, users };

// A map file of 100,000 entries of one sort, gone with its owner.
class Map {
 public:
  explicit Map(Entries entries) : path_("/tmp/pixmilter-bench-" + std::to_string(::getpid()) + ".map") {
    std::ofstream file(path_);
    for (int i = 0; i < 100'000; ++i) {
      const std::string number = std::to_string(i);
      switch (entries) {
        case addresses:
          file << "user" << number << "@example" << number << ".test\n";
          break;
        case domains:
          file << "*@example" << number << ".test\n";
          break;
        case subdomains:
          file << "*@*.example" << number << ".test\n";
          break;
        case users:
          file << "user" << number << "@*\n";
          break;
      }
    }
  }
  ~Map() { std::remove(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

mail::Envelope envelope_to(std::int64_t recipients) {
  mail::Envelope envelope;
  envelope.local = true;
  envelope.sender_known = true;
  envelope.sender = "a@example.test";
  for (std::int64_t i = 0; i < recipients; ++i)
    envelope.recipients.push_back("somebody" + std::to_string(i) + ".else@mail.example.org");
  return envelope;
}

// A message that none of the rules means: each has to be asked.
void ask(benchmark::State& state, const std::string& toml) {
  mail::initialise_mime();
  const config::Loaded loaded = config::load_text(toml, "bench.toml");
  if (!loaded.ok()) return state.SkipWithError(loaded.problems[0].text().c_str());
  const mail::Message message(
      "From: Ann <a@example.test>\nTo: b@example.org\nSubject: The figures of the last week, as you "
      "asked\n\ntext\n");
  const mail::Envelope envelope = envelope_to(state.range(1));
  for (auto _ : state) {
    core::MessageFacts facts(message, envelope, true);
    benchmark::DoNotOptimize(core::decide(loaded.settings, facts));
  }
}

void ThousandRules(benchmark::State& state) {
  const Map map(static_cast<Entries>(state.range(0)));
  std::string toml;
  for (int i = 0; i < 1000; ++i)
    toml += "[[rule]]\nmatch = { rcpt = [\"" + map.path() + "\", \"*@partner" + std::to_string(i) +
            ".example\"], subject = \"*report*\" }\naction = \"skip\"\n";
  ask(state, toml);
}

// Expressions: of recipients, or of the subject, which is the same for all of them.
void ThousandExpressions(benchmark::State& state) {
  std::string toml;
  for (int i = 0; i < 1000; ++i) {
    const std::string number = std::to_string(i);
    toml += "[[rule]]\nmatch = { " +
            (state.range(0) == 0 ? "subject = 'regexp:/\\b(alert|ticket) *#?" + number + "\\b/'"
                                 : "rcpt = 'regexp:/^[^@]+@(.*\\.)?partner" + number + "\\.example$/'") +
            " }\naction = \"skip\"\n";
  }
  ask(state, toml);
}
BENCHMARK(ThousandRules)
    ->ArgNames({"entries", "recipients"})
    ->ArgsProduct({{addresses, domains, subdomains, users}, {1, 10}})
    ->Unit(benchmark::kMicrosecond);
BENCHMARK(ThousandExpressions)
    ->ArgNames({"of_recipient", "recipients"})
    ->ArgsProduct({{0, 1}, {1, 10}})
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace pixmilter
