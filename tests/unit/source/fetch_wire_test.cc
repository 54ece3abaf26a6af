#include "source/fetch_wire.h"

#include <gtest/gtest.h>

#include <tuple>

namespace pixmilter::source::wire {
namespace {

Answer answer() {
  Answer message;
  message.number = 7;
  message.size = 1ull << 33;
  message.response.status = FetchStatus::limit;
  message.response.reason = "why";
  message.response.http_status = 200;
  message.response.content_type = "image/png";
  message.response.freshness = {"max-age=1", "expires", "date", "2", "\"tag\"", "modified", "Accept"};
  message.response.redirected = true;
  message.response.personal = true;
  return message;
}

TEST(FetchWire, RequestsComeBackAsTheyWere) {
  Request message;
  message.number = 3;
  message.milliseconds = 5000;
  message.request = {"https://example.org/" + std::string(Url::kMaxSize - 20, 'a'), "\"tag\"", "yesterday"};
  const std::string packet = encode(message);
  EXPECT_LE(packet.size(), kMaxMessage);
  const auto read = decode<Request>(packet);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->number, 3U);
  EXPECT_EQ(read->milliseconds, 5000U);
  EXPECT_EQ(read->request.url, message.request.url);
  EXPECT_EQ(read->request.if_none_match, "\"tag\"");
  EXPECT_EQ(read->request.if_modified_since, "yesterday");
}

TEST(FetchWire, AnswersComeBackAsTheyWere) {
  const auto read = decode<Answer>(encode(answer()));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->number, 7U);
  EXPECT_EQ(read->size, 1ull << 33);
  EXPECT_EQ(read->response.status, FetchStatus::limit);
  EXPECT_EQ(read->response.reason, "why");
  EXPECT_EQ(read->response.http_status, 200U);
  EXPECT_EQ(read->response.content_type, "image/png");
  EXPECT_EQ(read->response.freshness, answer().response.freshness);
  EXPECT_TRUE(read->response.redirected);
  EXPECT_TRUE(read->response.personal);
}

TEST(FetchWire, NothingElseIsOne) {
  const std::string packet = encode(answer());
  for (std::size_t size = 0; size < packet.size(); ++size)
    EXPECT_FALSE(decode<Answer>(packet.substr(0, size)));
  EXPECT_FALSE(decode<Answer>(packet + '\0'));
  EXPECT_FALSE(decode<Request>(packet));
  EXPECT_FALSE(decode<Begun>(packet));
  EXPECT_FALSE(decode<Session>(encode(Begun{})));
  std::string status = packet;
  status[1 + 4 + 8] = 6;
  EXPECT_FALSE(decode<Answer>(status));
}

}  // namespace
}  // namespace pixmilter::source::wire
