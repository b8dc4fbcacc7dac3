package wire

import (
	"fmt"
	"net/http"
)

// faultS3 writes an error as Amazon S3 does: without an envelope, and with names of its own for what is common.
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
func faultS3(requestID, code, text string, m *Message) string {
	own := map[string]struct {
		code   string
		status int
	}{
		"InvalidClientTokenId": {"InvalidAccessKeyId", http.StatusForbidden}, "Throttling": {"SlowDown", http.StatusServiceUnavailable},
		"InternalFailure": {"InternalError", http.StatusInternalServerError}, "ExpiredToken": {"ExpiredToken", http.StatusBadRequest},
		"InvalidAction": {"MethodNotAllowed", http.StatusMethodNotAllowed}, "ValidationError": {"InvalidArgument", http.StatusBadRequest},
	}
	if k, ok := own[code]; ok {
		code, m.Status = k.code, k.status
	}
	m.Header.Set("X-Amz-Request-Id", requestID)
	m.Header.Set("Content-Type", "application/xml")
	m.Body = fmt.Appendf(nil, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>%s</Code><Message>%s</Message><RequestId>%s</RequestId><HostId>lab</HostId></Error>",
		escaped(code), escaped(text), escaped(requestID))
	return code
}
