#! rule_approximated: rule `isAutomaticReply`: the condition `isAutomaticReply` is told by header fields, which is near but not the same
#! rule_approximated: rule `isEncrypted`: the condition `isEncrypted` is told by header fields, which is near but not the same
#! rule_approximated: rule `isNonDeliveryReport`: the condition `isNonDeliveryReport` is told by header fields, which is near but not the same
#! rule_approximated: rule `isPermissionControlled`: the condition `isPermissionControlled` is told by header fields, which is near but not the same
#! rule_approximated: rule `isReadReceipt`: the condition `isReadReceipt` is told by header fields, which is near but not the same
#! rule_approximated: rule `isSigned`: the condition `isSigned` is told by header fields, which is near but not the same
# Inbox rules of the former mail system, written as Sieve. Look them over before you switch them on.
require ["foreverypart", "imap4flags", "mime", "variables"];

set "dollar" "$";

# What the parts of the message say.
foreverypart {
    if header :mime :contains "Content-Disposition" "attachment" {
        set "hasAttachments" "yes";
    }
    if header :mime :param "method" :is "Content-Type" "REQUEST" {
        set "isMeetingRequest" "yes";
    }
    if header :mime :param "method" :is "Content-Type" "REPLY" {
        set "isMeetingResponse" "yes";
    }
}

# Rule: hasAttachments
if string :is "${hasAttachments}" "yes" {
    addflag "\\Seen";
}

# Rule: isMeetingRequest
if string :is "${isMeetingRequest}" "yes" {
    addflag "\\Seen";
}

# Rule: isMeetingResponse
if string :is "${isMeetingResponse}" "yes" {
    addflag "\\Seen";
}

# Rule: isAutomaticReply
# Note: the condition `isAutomaticReply` is told by header fields, which is near but not the same
if header :contains "auto-submitted" "auto-replied" {
    addflag "\\Seen";
}

# Rule: isEncrypted
# Note: the condition `isEncrypted` is told by header fields, which is near but not the same
if header :contains "content-type" ["enveloped-data", "multipart/encrypted"] {
    addflag "\\Seen";
}

# Rule: isSigned
# Note: the condition `isSigned` is told by header fields, which is near but not the same
if header :contains "content-type" ["signed-data", "multipart/signed"] {
    addflag "\\Seen";
}

# Rule: isNonDeliveryReport
# Note: the condition `isNonDeliveryReport` is told by header fields, which is near but not the same
if header :contains "content-type" "report-type=delivery-status" {
    addflag "\\Seen";
}

# Rule: isReadReceipt
# Note: the condition `isReadReceipt` is told by header fields, which is near but not the same
if header :contains "content-type" "report-type=disposition-notification" {
    addflag "\\Seen";
}

# Rule: isPermissionControlled
# Note: the condition `isPermissionControlled` is told by header fields, which is near but not the same
if header :contains "content-class" "rpmsg.message" {
    addflag "\\Seen";
}
