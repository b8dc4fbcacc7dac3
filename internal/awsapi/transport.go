package awsapi

import (
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// idlePerHost is how many connections to one endpoint stay open for the next call; more than run at once.
const idlePerHost = 128

// buildable is the transport while the configuration is loaded: the SDK puts AWS_CA_BUNDLE into it, and instance
// metadata takes a copy with timeouts of its own. Proxies come from the environment, as everywhere.
func buildable() *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().WithTimeout(attemptTimeout).
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = connectTimeout }).
		WithTransportOptions(func(t *http.Transport) {
			t.TLSHandshakeTimeout = connectTimeout
			t.MaxIdleConns = 4 * idlePerHost
			t.MaxIdleConnsPerHost = idlePerHost
			t.IdleConnTimeout = 90 * time.Second
		})
}

// client is the one http.Client of all service clients. No buildable one: from that every service client would make itself
// a connection pool of its own. Redirects are not followed: no AWS service here sends any.
func (s *Session) client(cfg aws.Config) *http.Client {
	rt := s.opts.Transport
	if rt == nil {
		b, ok := cfg.HTTPClient.(*awshttp.BuildableClient) // with AWS_CA_BUNDLE in it
		if !ok {
			b = buildable()
		}
		rt = b.GetTransport()
	}
	return &http.Client{
		Transport: rt, Timeout: attemptTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
