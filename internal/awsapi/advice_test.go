package awsapi

import (
	"strings"
	"testing"
)

// Only what happened on the way is called the network's, and only there no request ID can be.
func TestNetworkOrAWS(t *testing.T) {
	for _, k := range []Kind{DNS, Dial, TLS, Proxy, Reset, HTML, Slow, Truncated, Interrupted, OldKeys, BadKeys, Clock, Refused, Rate, NotFound, NoOperation, Quota, Internal, Other} {
		f := Failure{Kind: k, Code: "Code", Message: "m"}
		why := f.advice("codepipeline.eu-west-1.amazonaws.com")
		onTheWay := k == DNS || k == Dial || k == TLS || k == Proxy || k == Reset || k == HTML
		if strings.HasPrefix(why, "the network, not AWS: ") != onTheWay || strings.Contains(why, "interface endpoint") {
			t.Errorf("%s: %q", k, why)
		}
		if (onTheWay || k == Slow) && k != HTML && !strings.Contains(why, "codepipeline.eu-west-1.amazonaws.com") {
			t.Errorf("%s: %q does not name the host", k, why)
		}
	}
}

// The likely way past an interface endpoint is named for the newer host name alone.
func TestEndpointHint(t *testing.T) {
	for host, want := range map[string]bool{"codeconnections.eu-west-1.amazonaws.com": true, "codestar-connections.eu-west-1.amazonaws.com": false, "sts.amazonaws.com": false} {
		for _, k := range []Kind{DNS, Dial} {
			why := Failure{Kind: k}.advice(host)
			if strings.Contains(why, "codestar-connections.eu-west-1.amazonaws.com alone") != want {
				t.Errorf("%s %s: %q", k, host, why)
			}
		}
	}
}

// Which bundle of certificates is in use is said where TLS fails.
func TestBundle(t *testing.T) {
	machine(t)
	if why := (Failure{Kind: TLS}).advice("h"); !strings.Contains(why, "AWS_CA_BUNDLE") || !strings.Contains(why, "it is not set") {
		t.Errorf("%q", why)
	}
	t.Setenv("AWS_CA_BUNDLE", "/etc/corp.pem")
	if why := (Failure{Kind: TLS}).advice("h"); !strings.Contains(why, "it is /etc/corp.pem") {
		t.Errorf("%q", why)
	}
}
