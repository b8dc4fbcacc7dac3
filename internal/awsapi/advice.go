package awsapi

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
)

// advice words a failure: what happened and what to do, in one line. Host is the endpoint, "" when it is not known.
func (f Failure) advice(host string) string {
	if host == "" {
		host = "the endpoint"
	}
	switch f.Kind {
	case DNS:
		return network + "the name " + host + " cannot be resolved" + via(host) + ": check the network, VPN and DNS, and that the Region has the service" + endpointHint(host)
	case Dial:
		return network + "no connection to " + host + via(host) + ": check the network, the firewall and --endpoint-url: " + f.Message + endpointHint(host)
	case TLS:
		return network + "TLS with " + host + via(host) + " fails: check the clock, and set AWS_CA_BUNDLE when a proxy inspects traffic" + bundle() + ": " + f.Message
	case Proxy:
		return network + "the proxy refuses the connection to " + host + via(host) + ": check HTTPS_PROXY and NO_PROXY: " + f.Message
	case Reset:
		return network + "the connection to " + host + via(host) + " broke off before the reply came: try again; if it stays, check proxy and VPN"
	case Slow:
		return "no answer from " + host + via(host) + " in time: try again; if it stays, check the network and the Region's status, or raise --timeout"
	case HTML:
		return network + f.Message + via(host) + ": a proxy or a login page stands between this machine and AWS: log in there, or check HTTPS_PROXY and --endpoint-url"
	case Truncated:
		return "the reply was cut short or is not AWS's: try again; if it stays, check the proxy"
	case Interrupted:
		return "interrupted before the answer came"
	case OldKeys:
		return "the credentials have run out: run `aws sso login` or fetch new ones, and try again"
	case BadKeys:
		return "AWS does not know these credentials: check for old AWS_ACCESS_KEY_ID and AWS_SESSION_TOKEN variables, the partition, and whether the Region is enabled: " + f.text()
	case Clock:
		return "this machine's clock is wrong: set it (NTP) and try again: " + f.text()
	case Rate:
		return "AWS refuses the call for its rate, after all tries: wait a moment and try again"
	case NoOperation:
		return "the Region or partition does not have this operation: check --region and --endpoint-url: " + f.text()
	case Refused:
		return f.text() + ": have it allowed (unjam permissions prints the policies)"
	case Quota:
		return "a quota is used up: delete what is unused or ask for more: " + f.text()
	case Internal:
		return "AWS has a trouble of its own: try again, and see https://health.aws.amazon.com: " + f.text()
	}
	return f.text()
}

// network begins the texts of failures that AWS knows nothing of.
const network = "the network, not AWS: "

// via names the proxy that the environment sends calls of a host through, without its password; "" when there is none.
func via(host string) string {
	p, err := http.ProxyFromEnvironment(&http.Request{URL: &url.URL{Scheme: "https", Host: host}})
	if err != nil || p == nil {
		return ""
	}
	return " through the proxy " + p.Scheme + "://" + p.Host
}

// bundle says which certificates are trusted beside the system's.
func bundle() string {
	if b := os.Getenv("AWS_CA_BUNDLE"); b != "" {
		return " (it is " + b + ")"
	}
	return " (it is not set)"
}

// endpointHint speaks of VPC endpoints where they are a likely cause: the interface endpoint of the connection services has private
// DNS for the older host name alone (docs/aws-facts.md, "VPC endpoints of the connection services").
func endpointHint(host string) string {
	region, ok := strings.CutPrefix(host, "codeconnections.")
	if !ok {
		return ""
	}
	return "; in a VPC: the interface endpoint codestar-connections.api gives a private address to codestar-connections." + region + " alone, calls of " + host + " go past it"
}

// text is AWS's text, with the code when there is nothing else.
func (f Failure) text() string {
	switch {
	case f.Message == "", f.Message == "UnknownError": // the SDK's word for an error without a text
		return f.Code
	case f.Code == "" || f.Kind == Refused:
		return f.Message
	}
	return f.Code + ": " + f.Message
}

// hostOf finds the host a failed exchange was for.
func hostOf(err error) string {
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return dns.Name
	}
	var u *url.Error
	if errors.As(err, &u) {
		if p, e := url.Parse(u.URL); e == nil {
			return p.Host
		}
	}
	return ""
}
