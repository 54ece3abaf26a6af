#include "milter/negotiation.h"

#include <gtest/gtest.h>
#include <libmilter/mfapi.h>
#include <libmilter/mfdef.h>

namespace pixmilter::milter {
namespace {

constexpr unsigned long kAllSteps = 0x1FFFFF;
constexpr unsigned long kSilence = SMFIP_NR_CONN | SMFIP_NR_HELO | SMFIP_NR_MAIL | SMFIP_NR_RCPT |
                                   SMFIP_NR_DATA | SMFIP_NR_UNKN | SMFIP_NR_HDR | SMFIP_NR_EOH |
                                   SMFIP_NR_BODY;

TEST(Negotiation, AsksForWhatItUses) {
  const Agreement agreement = agree({SMFI_CURR_ACTS, kAllSteps}, true);
  EXPECT_TRUE(agreement.features.capable);
  EXPECT_EQ(agreement.actions,
            SMFIF_ADDHDRS | SMFIF_CHGBODY | SMFIF_CHGHDRS | SMFIF_QUARANTINE | SMFIF_SETSYMLIST);
  EXPECT_EQ(agreement.steps & (SMFIP_NOCONNECT | SMFIP_NOMAIL | SMFIP_NORCPT | SMFIP_NOHDRS | SMFIP_NOEOH |
                               SMFIP_NOBODY | SMFIP_SKIP | SMFIP_RCPT_REJ),
            0u);
  EXPECT_EQ(agreement.steps & (SMFIP_NOHELO | SMFIP_NODATA | SMFIP_NOUNKNOWN),
            SMFIP_NOHELO | SMFIP_NODATA | SMFIP_NOUNKNOWN);
}

TEST(Negotiation, AnswersWhereADecisionIsMade) {
  const Agreement agreement = agree({SMFI_CURR_ACTS, kAllSteps}, true);
  EXPECT_EQ(agreement.steps & (SMFIP_NR_EOH | SMFIP_NR_DATA | SMFIP_NR_HELO), 0u);
  EXPECT_TRUE(agreement.features.no_reply);
  EXPECT_EQ(agree({SMFI_CURR_ACTS, kAllSteps}, false).steps & kSilence, 0u);
  EXPECT_FALSE(agree({SMFI_CURR_ACTS, kAllSteps}, false).features.no_reply);
}

TEST(Negotiation, TakesWhatIsOffered) {
  const Agreement agreement = agree({SMFI_V2_ACTS, SMFI_V2_PROT}, false);
  EXPECT_TRUE(agreement.features.capable);
  EXPECT_FALSE(agreement.features.leading_space);
  EXPECT_EQ(agreement.actions & ~SMFI_V2_ACTS, 0u);
  EXPECT_EQ(agreement.steps & ~SMFI_V2_PROT, 0u);
  EXPECT_FALSE(agree({SMFI_CURR_ACTS & ~SMFIF_QUARANTINE, kAllSteps}, true).features.quarantine);
}

TEST(Negotiation, IsOfNoUseToAnMtaThatCannotChangeMail) {
  for (const unsigned long missing : {SMFIF_CHGBODY, SMFIF_ADDHDRS, SMFIF_CHGHDRS}) {
    const Agreement agreement = agree({SMFI_CURR_ACTS & ~missing, kAllSteps}, true);
    EXPECT_FALSE(agreement.features.capable);
    EXPECT_EQ(agreement.actions, 0u);
    EXPECT_EQ(agreement.steps & kSilence, 0u);
    EXPECT_EQ(agreement.steps & SMFIP_NOBODY, SMFIP_NOBODY);
    EXPECT_FALSE(agreement.lacking.empty());
  }
  EXPECT_EQ(agree({0, kAllSteps}, true).lacking, "replacing the body, adding headers, changing headers");
}

}  // namespace
}  // namespace pixmilter::milter
