#include "worker/judge_answer.h"

#include <utility>

#include "image/check_picture.h"
#include "worker/wire.h"

namespace pixmilter::worker {

using image::ImageResult;
using image::Status;

namespace {

Judgement violated(std::string reason) {
  Judgement judgement;
  judgement.result.status = Status::violated;
  judgement.result.reason = std::move(reason);
  return judgement;
}

// Reasons go into the log and the notes of a message.
std::string one_line(std::string text) {
  for (char& c : text)
    if (c < ' ' || c > '~') c = ' ';
  return text;
}

}  // namespace

Judgement judge_answer(std::string_view packet, bool carries_descriptors, const Expected& expected,
                       const std::function<Result<std::string>(std::uint64_t size)>& copy_output) {
  auto answer = wire::decode<wire::Answer>(packet);
  if (!answer || carries_descriptors || answer->number != expected.number ||
      answer->size > expected.max_bytes || (answer->size == 0 && answer->status == Status::ok) ||
      (!answer->picture.empty() && answer->picture.size() != answer->size))
    return violated("the render worker broke the protocol");
  Judgement judgement;
  judgement.retire = answer->retire;
  ImageResult& result = judgement.result;
  result.status = answer->status;
  result.reason = one_line(std::move(answer->reason));
  if (answer->status != Status::ok) return judgement;
  if (answer->picture.empty() && !copy_output) {
    judgement.output_size = answer->size;
    return judgement;
  }
  auto bytes = answer->picture.empty() ? copy_output(answer->size) : Result(std::move(answer->picture));
  if (!bytes) return violated(bytes.error().text);
  const auto facts = image::check_picture(*bytes);
  if (!facts) return violated("the render worker returned no picture: " + facts.error().text);
  if (facts->format != answer->format || facts->width != answer->width || facts->height != answer->height ||
      std::uint64_t{facts->width} * facts->height > expected.max_pixels)
    return violated("the render worker returned another picture than it said");
  result.bytes = std::move(*bytes);
  result.format = facts->format;
  result.width = facts->width;
  result.height = facts->height;
  result.frames = facts->frames;
  return judgement;
}

}  // namespace pixmilter::worker
