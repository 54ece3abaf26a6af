// What a session asks of an MTA that fails: the milter protocol itself is tested in tests/milter.
#include "milter/session.h"

#include <gtest/gtest.h>

#include <memory>

#include "mail/mime_tree.h"

namespace pixmilter::milter {
namespace {

class NoRenderer : public worker::Renderer {
 public:
  std::vector<image::ImageResult> render(std::span<const image::ImageJob> jobs, Deadline) override {
    return std::vector<image::ImageResult>(jobs.size());
  }
};

// Notes what it is asked for and fails from the given edit on.
class FakeMta : public Mta {
 public:
  explicit FakeMta(int edits_that_work = 1000) : left_(edits_that_work) {}
  std::string macro(const char* name) const override { return std::string(name) == "i" ? "4UNIT" : ""; }
  bool replace_body(std::string_view) override { return edit("body"); }
  bool change_header(const std::string& name, int, const char* value) override {
    return edit((value == nullptr ? "remove " : "change ") + name);
  }
  bool add_header(const std::string& name, const std::string&) override { return edit("add " + name); }
  bool quarantine(const std::string&) override { return edit("quarantine"); }
  bool set_reply(const char* code, const char*, const std::string&) override {
    reply = code;
    return true;
  }
  std::vector<std::string> edits;
  std::string reply;

 private:
  bool edit(std::string what) {
    edits.push_back(std::move(what));
    return left_-- > 0;
  }
  int left_;
};

constexpr std::string_view kHtml =
    "<p><img src=\"data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7\"></p>\r\n";

class SessionTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { mail::initialise_mime(); }
  std::shared_ptr<const Engine> engine =
      std::make_shared<const Engine>(config::Settings(), std::make_shared<NoRenderer>());
  Traffic traffic{engine};
  Session session{traffic, Features()};

  Reply send(FakeMta& mta, std::string_view body = kHtml) {
    session.connect({"localhost", "127.0.0.1", true, 4000}, mta);
    session.mail({"<a@example.test>"}, mta);
    session.recipient("<b@example.test>");
    session.header("Content-Type", " text/html");
    if (const Reply reply = session.end_of_headers(mta); reply != Reply::proceed) return reply;
    session.body(body);
    return session.end_of_message(mta);
  }
};

TEST_F(SessionTest, BodyFirstThenHeaders) {
  FakeMta mta;
  EXPECT_EQ(send(mta), Reply::accept);
  ASSERT_GE(mta.edits.size(), 2u);
  EXPECT_EQ(mta.edits.front(), "body");
  EXPECT_EQ(mta.edits.back(), "add X-Pixmilter");
}

TEST_F(SessionTest, AFailedEditDefersTheMessage) {
  FakeMta whole;
  send(whole);
  for (int works = 0; works < static_cast<int>(whole.edits.size()); ++works) {
    FakeMta mta(works);
    EXPECT_EQ(send(mta), Reply::tempfail) << works;
    EXPECT_EQ(mta.edits.size(), static_cast<std::size_t>(works) + 1);  // and nothing after it
    EXPECT_EQ(mta.reply, "451");
  }
}

TEST_F(SessionTest, InHandUntilTheAnswerIsLetGo) {
  FakeMta mta;
  send(mta);
  traffic.drain();
  EXPECT_FALSE(traffic.wait_idle(Deadline::after(Milliseconds(1))));
  session.take_answered().reset();
  EXPECT_TRUE(traffic.wait_idle(Deadline::after(Milliseconds(1))));
}

TEST_F(SessionTest, ADrainingFrontTakesNoNewMessage) {
  traffic.drain();
  FakeMta mta;
  EXPECT_EQ(session.mail({"<a@example.test>"}, mta), Reply::tempfail);
  EXPECT_EQ(mta.reply, "451");
  Features silent;
  silent.no_reply = true;
  Session other(traffic, silent);
  FakeMta second;
  EXPECT_EQ(other.mail({"<a@example.test>"}, second), Reply::proceed);
  EXPECT_EQ(other.header("Subject", " x"), Reply::proceed);
  EXPECT_EQ(other.end_of_headers(second), Reply::tempfail);
  EXPECT_EQ(second.reply, "451");
}

TEST_F(SessionTest, AMessageKeepsItsConfiguration) {
  FakeMta mta;
  session.connect({"localhost", "127.0.0.1", true, 4000}, mta);
  session.mail({"<a@example.test>"}, mta);
  config::Settings off;
  off.mode = config::Mode::off;
  traffic.use(std::make_shared<const Engine>(off, engine->renderer));
  session.header("Content-Type", " text/html");
  EXPECT_EQ(session.end_of_headers(mta), Reply::proceed);
  session.body(kHtml);
  EXPECT_EQ(session.end_of_message(mta), Reply::accept);
  EXPECT_FALSE(mta.edits.empty());
  FakeMta next;
  EXPECT_EQ(send(next), Reply::accept);
  EXPECT_TRUE(next.edits.empty());
}

TEST_F(SessionTest, AbortsAndEndsWithoutAMessage) {
  FakeMta mta;
  session.abort();
  EXPECT_EQ(session.end_of_headers(mta), Reply::accept);
  EXPECT_EQ(session.body("x"), Reply::proceed);
  EXPECT_EQ(session.end_of_message(mta), Reply::accept);
  session.mail({}, mta);
  session.abort();
  EXPECT_EQ(session.end_of_message(mta), Reply::accept);
  EXPECT_TRUE(mta.edits.empty());
  traffic.drain();
  EXPECT_TRUE(traffic.wait_idle(Deadline::after(Milliseconds(1))));
}

}  // namespace
}  // namespace pixmilter::milter
