#include "milter/negotiation.h"

#include <libmilter/mfapi.h>
#include <libmilter/mfdef.h>

namespace pixmilter::milter {
namespace {

constexpr unsigned long kNeeded = SMFIF_CHGBODY | SMFIF_ADDHDRS | SMFIF_CHGHDRS;
constexpr unsigned long kWelcome = SMFIF_QUARANTINE | SMFIF_SETSYMLIST;
// Never looked at.
constexpr unsigned long kUnwanted = SMFIP_NOHELO | SMFIP_NODATA | SMFIP_NOUNKNOWN;
// All but the end of the headers and the end of the message, which decide. libmilter makes up for what an
// MTA does not know of these.
constexpr unsigned long kSilent =
    SMFIP_NR_CONN | SMFIP_NR_MAIL | SMFIP_NR_RCPT | SMFIP_NR_HDR | SMFIP_NR_BODY;
constexpr unsigned long kEverything = SMFIP_NOCONNECT | SMFIP_NOHELO | SMFIP_NOMAIL | SMFIP_NORCPT |
                                      SMFIP_NODATA | SMFIP_NOHDRS | SMFIP_NOEOH | SMFIP_NOBODY |
                                      SMFIP_NOUNKNOWN;

}  // namespace

Agreement agree(const Offer& offer, bool no_reply) {
  Agreement agreement;
  const unsigned long missing = kNeeded & ~offer.actions;
  if (missing != 0) {
    agreement.features = {false, false, false, false};
    agreement.steps = kEverything & offer.steps;
    if (missing & SMFIF_CHGBODY) agreement.lacking += ", replacing the body";
    if (missing & SMFIF_ADDHDRS) agreement.lacking += ", adding headers";
    if (missing & SMFIF_CHGHDRS) agreement.lacking += ", changing headers";
    agreement.lacking.erase(0, 2);
    return agreement;
  }
  agreement.actions = kNeeded | (kWelcome & offer.actions);
  agreement.steps = (kUnwanted | SMFIP_HDR_LEADSPC) & offer.steps;
  if (no_reply) agreement.steps |= kSilent;
  agreement.features.leading_space = (offer.steps & SMFIP_HDR_LEADSPC) != 0;
  agreement.features.quarantine = (offer.actions & SMFIF_QUARANTINE) != 0;
  agreement.features.no_reply = no_reply;
  return agreement;
}

}  // namespace pixmilter::milter
