#include "core/pipeline.h"

#include <gtest/gtest.h>

#include "base/base64.h"

namespace pixmilter::core {
namespace {

const std::string kPng("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\0\0\0\0:~\x9bU", 33);

// Stands for the workers: every picture becomes the same PNG, or fails.
class FixedRenderer : public worker::Renderer {
 public:
  std::vector<image::ImageResult> render(std::span<const image::ImageJob> jobs, Deadline) override {
    rendered += jobs.size();
    image::ImageResult result;
    result.status = status;
    result.reason = status == image::Status::ok ? "" : "it would not";
    result.bytes = kPng;
    result.format = image::Format::png;
    return std::vector<image::ImageResult>(jobs.size(), result);
  }
  image::Status status = image::Status::ok;
  std::size_t rendered = 0;
};

class PipelineTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { mail::initialise_mime(); }

  static std::string data_uri(const std::string& tail = "") {
    std::string out = "data:image/png;base64,";
    base64::encode(kPng + tail, out);
    return out;
  }
  Outcome run(const std::string& text) {
    const mail::Message message(text);
    Outcome outcome = pipeline().run(message, envelope_, Deadline());
    after_ = carried_out(message, outcome);
    return outcome;
  }
  Pipeline pipeline() {
    return assemble_ ? Pipeline(settings_, renderer_, assemble_) : Pipeline(settings_, renderer_);
  }
  // The Content-ID of the n-th image part of what came out.
  std::string cid(std::size_t n = 0) const {
    std::size_t at = 0;
    for (std::size_t i = 0; i <= n; ++i) at = after_.find("Content-ID: <", at) + 13;
    return after_.substr(at, after_.find('>', at) - at);
  }
  static mail::Envelope local() {
    mail::Envelope envelope;
    envelope.local = true;
    envelope.sender = "a@example.org";
    return envelope;
  }

  config::Settings settings_;
  FixedRenderer renderer_;
  Pipeline::Assemble assemble_;
  mail::Envelope envelope_ = local();
  std::string after_;
};

std::string html_message(const std::string& html) {
  return "From: a@example.org\nMIME-Version: 1.0\nContent-Type: text/html; charset=utf-8\n"
         "Content-Transfer-Encoding: 8bit\nSubject: x\n\n" +
         html + "\n";
}

TEST_F(PipelineTest, WrapsALoneHtml) {
  const Outcome outcome = run(html_message("<p>\xC3\xBC<img src=\"" + data_uri() + "\"></p>"));
  EXPECT_EQ(outcome.summary, "rewritten: 1 embedded");
  const std::string boundary = after_.substr(after_.find("boundary=\"") + 10, 34);
  EXPECT_EQ(after_,
            "From: a@example.org\nMIME-Version: 1.0\nContent-Type: multipart/related; type=\"text/html\";\n"
            " boundary=\"" +
                boundary +
                "\"\nContent-Transfer-Encoding: 8bit\nSubject: x\n"
                "X-Pixmilter: " PIXMILTER_VERSION "; 1 embedded\n\n--" +
                boundary +
                "\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
                "<p>\xC3\xBC<img src=\"cid:" +
                cid() + "\"></p>\n\n--" + boundary +
                "\nContent-Type: image/png; name=\"image-1.png\"\nContent-Transfer-Encoding: base64\n"
                "Content-Disposition: inline; filename=\"image-1.png\"\nContent-ID: <" +
                cid() + ">\n\n" + data_uri().substr(22) + "\n--" + boundary + "--\n");
  const std::string once = after_;
  EXPECT_FALSE(run(once).changed());
  EXPECT_EQ(run(html_message("<p>\xC3\xBC<img src=\"" + data_uri() + "\"></p>")).body, outcome.body);
}

TEST_F(PipelineTest, DuplicatesShareAPart) {
  run(html_message("<img src=\"" + data_uri() + "\"><img src='" + data_uri() + "'><img src=" + data_uri("x") +
                   ">"));
  EXPECT_NE(cid(0), cid(1));
  EXPECT_NE(after_.find("<img src=\"cid:" + cid(0) + "\"><img src='cid:" + cid(0) +
                        "'><img src=cid:" + cid(1) + ">"),
            std::string::npos);
  EXPECT_EQ(after_.find("image-3"), std::string::npos);
}

TEST_F(PipelineTest, QuotedPrintableKeepsItsOtherLines) {
  run("Content-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p>odd "
      "=6cine=20\r\n<img src=3D\"" +
      data_uri().substr(0, 40) + "=\r\n" + data_uri().substr(40) + "\"> t=\r\nail\r\n");
  EXPECT_NE(after_.find("<p>odd =6cine=20\r\n<img src=3D\"cid:" + cid() + "\"> t=\r\nail\r\n"),
            std::string::npos)
      << after_;
  EXPECT_NE(after_.find("MIME-Version: 1.0\r\n"), std::string::npos);
}

TEST_F(PipelineTest, AFailedPictureStaysAndTheRestIsDone) {
  renderer_.status = image::Status::timeout;
  const Outcome outcome =
      run("MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: "
          "text/html\n\n<img src=" +
          data_uri() +
          ">\n--b\nContent-Type: image/x-raw-pixels; width=1; height=1\nContent-Transfer-Encoding: base64\n\n"
          "QQ==\n--b--\n");
  EXPECT_EQ(outcome.summary, "rewritten: 1 embedded, 1 left");
  ASSERT_EQ(outcome.notes.size(), 1u);
  EXPECT_EQ(outcome.notes[0], "part 2 image/x-raw-pixels: it would not");
  EXPECT_NE(after_.find("\nContent-Type: image/x-raw-pixels; width=1; height=1\n"), std::string::npos);
}

TEST_F(PipelineTest, AFailedPictureDecidesOnTheMessage) {
  const std::string message =
      "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html\n\n<img "
      "src=" +
      data_uri() +
      ">\n--b\nContent-Type: image/x-raw-pixels; width=1; height=1\nContent-Transfer-Encoding: base64\n\n"
      "QQ==\n--b--\n";
  renderer_.status = image::Status::timeout;
  const auto outcome = [&](config::OnFail on_fail) {
    settings_.defaults.on_fail[static_cast<std::size_t>(config::Failure::timeout)] = on_fail;
    return run(message);
  };
  const std::pair<config::OnFail, std::string> cases[] = {{config::OnFail::reject, "rejected"},
                                                          {config::OnFail::tempfail, "deferred"},
                                                          {config::OnFail::quarantine, "quarantined"}};
  for (const auto& [on_fail, said] : cases) {
    const bool goes = on_fail == config::OnFail::quarantine;
    const std::string why = said + ": image could not be processed: it would not";
    settings_.mode = config::Mode::enforce;
    Outcome done = outcome(on_fail);
    EXPECT_EQ(done.summary, why + (goes ? "; rewritten: 1 embedded, 1 left" : ""));
    EXPECT_EQ(word(done), said);
    settings_.mode = config::Mode::audit;
    done = outcome(on_fail);
    EXPECT_EQ(done.verdict, Verdict::accept);
    EXPECT_FALSE(done.changed());
    EXPECT_TRUE(done.summary.starts_with("audit, would be: " + why + (goes ? "; rewritten, " : "")))
        << done.summary;
    EXPECT_EQ(word(done), goes ? "audited" : "untouched");
  }
}

TEST_F(PipelineTest, PixelPartIsReplacedInPlace) {
  run("MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\ntext\n--b\n"
      "Content-ID: <keep@me>\nContent-Type: image/x-raw-pixels; width=1; height=1;\n name=\"a.raw\"\n"
      "Content-Disposition: attachment; filename=\"a.raw\"; size=1\nContent-Transfer-Encoding: "
      "base64\n\nQQ==\n--b--\n");
  EXPECT_NE(
      after_.find(
          "--b\nContent-ID: <keep@me>\nContent-Type: image/png; name=\"a.png\"\n"
          "Content-Disposition: attachment; filename=\"a.png\"\nContent-Transfer-Encoding: base64\n\niVBOR"),
      std::string::npos)
      << after_;
}

TEST_F(PipelineTest, VerifyRefusesWrongWork) {
  const std::string message = html_message("<p>text<img src=\"" + data_uri() + "\"></p>");
  using Mistake = std::function<void(Assembly&, const Work&)>;
  const Mistake mistakes[] = {
      [](Assembly& a, const Work& w) {
        a.body_edits.remove(w.message.body_begin(), w.message.body_begin() + 3);
      },
      [](Assembly& a, const Work& w) { a.body_edits.insert(w.message.body_begin() + 4, "x"); },
      [](Assembly& a, const Work&) {
        a.header_changes.push_back({mail::HeaderChange::Kind::remove, "Subject", 1, ""});
      },
      [](Assembly& a, const Work&) {
        a.header_changes.push_back({mail::HeaderChange::Kind::append, "Bcc", 0, " x"});
      },
      [](Assembly& a, const Work&) { a.new_parts.begin()->second[0].content_id = "other@pixmilter"; },
      [](Assembly& a, const Work& w) { a.body_edits.insert(w.message.bytes().size(), "--trailing"); },
      [](Assembly& a, const Work&) { a.header_changes.clear(); },
      [](Assembly& a, const Work& w) { a.body_edits.replace(5, w.message.bytes().size() + 9, ""); },
  };
  int number = 0;
  for (const Mistake& mistake : mistakes) {
    assemble_ = [&](const Work& work) {
      Result<Assembly> right = assemble(work);
      if (right) mistake(*right, work);
      return right;
    };
    const Outcome outcome = run(message);
    EXPECT_EQ(outcome.summary.rfind("untouched: internal error", 0), 0u) << number << outcome.summary;
    EXPECT_FALSE(outcome.changed()) << number;
    EXPECT_EQ(after_, message) << number;
    ++number;
  }
  assemble_ = [](const Work&) -> Result<Assembly> { throw std::bad_alloc(); };
  EXPECT_FALSE(run(message).changed());
}

TEST_F(PipelineTest, WhoseMail) {
  const std::string message = html_message("<img src=\"" + data_uri() + "\">");
  envelope_ = {};
  envelope_.sender = "a@b";
  envelope_.client_address = "192.0.2.1";
  EXPECT_EQ(run(message).summary, "untouched: not outgoing");
  envelope_.authenticated_user = "joe";
  EXPECT_TRUE(run(message).changed());
  envelope_.authenticated_user.clear();
  envelope_.client_address = "127.0.0.1";
  EXPECT_TRUE(run(message).changed());
  envelope_.sender.clear();
  EXPECT_EQ(run(message).summary, "untouched: null sender");
  envelope_ = local();
  settings_.mode = config::Mode::audit;
  const std::string summary = run(message).summary;
  EXPECT_TRUE(summary.starts_with("audit, would be rewritten, ")) << summary;
  EXPECT_TRUE(summary.ends_with(" bytes: 1 embedded")) << summary;
  EXPECT_EQ(after_, message);
  settings_.mode = config::Mode::off;
  EXPECT_EQ(run(message).summary, "untouched: mode off");
}

TEST_F(PipelineTest, ModeOffKnowsNoAction) {
  const std::string message = "From: a@example.org\nSubject: x\n\nHello.\n";
  for (const auto action : {config::MessageAction::reject, config::MessageAction::tempfail,
                            config::MessageAction::quarantine, config::MessageAction::rewrite}) {
    settings_.rules.assign(1, config::Rule());
    config::Rule& rule = settings_.rules.front();
    rule.action = action;
    rule.add_headers = {{"X-Checked", "yes"}};
    const bool rewrites = action == config::MessageAction::rewrite;
    for (const bool everywhere : {true, false}) {
      settings_.mode = everywhere ? config::Mode::off : config::Mode::enforce;
      if (!everywhere) rule.mode = config::Mode::off;
      const Outcome outcome = run(message);
      EXPECT_EQ(outcome.verdict, Verdict::accept);
      EXPECT_EQ(outcome.summary, "untouched: mode off");
      EXPECT_EQ(after_, message);
    }
    rule.mode = config::Mode::audit;
    EXPECT_EQ(run(message).verdict, Verdict::accept);
    EXPECT_EQ(after_, message);
    rule.mode = config::Mode::enforce;
    EXPECT_EQ(run(message).verdict == Verdict::accept, rewrites);
  }
}

TEST_F(PipelineTest, AHeaderThatIsAllThatWasAddedIsSaid) {
  config::Rule& rule = settings_.rules.emplace_back();
  rule.add_headers = {{"X-Checked", "yes"}};
  const std::string picture = html_message("<img src=\"" + data_uri() + "\">");
  const auto said = [&](const std::string& fields) {
    const Outcome outcome = run(fields + picture);
    EXPECT_EQ(after_.find("\nX-Checked: yes\n") != std::string::npos, outcome.changed());
    EXPECT_EQ(after_.ends_with(picture.substr(picture.find("\n\n"))), !outcome.body);
    return std::string(word(outcome)) + ", " + outcome.summary;
  };
  EXPECT_EQ(said(""), "rewritten, rewritten: 1 embedded");
  EXPECT_EQ(said("DKIM-Signature: v=1; h=from:to\n"), "header_added, header added: DKIM-signed");
  EXPECT_EQ(said("DKIM-Signature: v=1; bh=x-checked; h = from: x-checked; b=a\n"),
            "untouched, untouched: DKIM-signed");
  EXPECT_EQ(said("ARC-Seal: i=1\nARC-Message-Signature: i=1; h=From:\n\tX-Checked\n"),
            "untouched, untouched: ARC-sealed");
  EXPECT_EQ(said("X-Checked: no\nDKIM-Signature: v=1\n"), "untouched, untouched: DKIM-signed");
  EXPECT_EQ(run("From: a@example.org\n\nHello.\n").summary, "header added: nothing to do");
  envelope_.sender.clear();
  envelope_.sender_known = true;
  EXPECT_EQ(said(""), "header_added, header added: null sender");
  settings_.mode = config::Mode::audit;
  const Outcome audited = run(picture);
  EXPECT_EQ(audited.summary, "audit, header would be added: null sender");
  EXPECT_EQ(after_, picture);
  settings_.mode = config::Mode::enforce;
  rule.action = config::MessageAction::skip;
  EXPECT_EQ(said(""), "untouched, untouched: rule \"\"");
}

TEST_F(PipelineTest, TheHeaderAloneOftenTells) {
  const auto nothing_to_do = [&](const std::string& header) {
    return pipeline().nothing_to_do(mail::Message(header), envelope_);
  };
  for (const char* quiet : {"Subject: x\n\n", "Content-Type: text/plain\n\n",
                            "Content-Type: TEXT/PLAIN; charset=x\n\n", "Content-Type: application/pdf\n\n"})
    EXPECT_NE(nothing_to_do(quiet), "") << quiet;
  for (const char* loud : {"Content-Type: text/html\n\n", "Content-Type: multipart/mixed; boundary=b\n\n",
                           "Content-Type: image/x-raw-pixels\n\n", "Content-Type: application/x-npy; a=b\n\n",
                           "Content-Type: text/plain\nContent-Type: text/html\n\n"})
    EXPECT_EQ(nothing_to_do(loud), "") << loud;
}

}  // namespace
}  // namespace pixmilter::core
