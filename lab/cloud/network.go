package cloud

import (
	"fmt"
	"maps"
)

// Place is where a caller sits on the network. The zero Place is the open internet.
type Place struct {
	VPC      string // ID of the VPC, "" outside of any
	Endpoint string // ID of the VPC endpoint whose own DNS name the caller's configuration names, "" for none
	Only     bool   // there is no way out of the VPC but its endpoints
}

// The ways in which a request does not get to AWS at all.
const (
	DialTimeout = "unreachable"  // the name resolves, nothing answers there
	NoSuchHost  = "no-such-host" // the name does not resolve
)

// Unreachable is why a request does not get to AWS: no answer, no request ID, no event.
type Unreachable struct {
	Kind   string // DialTimeout or NoSuchHost
	Reason string // for the world's writer; a client never learns it
}

func (e *Unreachable) Error() string { return fmt.Sprintf("%s: %s", e.Kind, e.Reason) }

// Network knows how calls get from a place to AWS; EC2 is one.
type Network interface {
	// Way finds the VPC endpoint that a call of an account's caller takes to a service in a Region; "" is the internet. host
	// is the name the client calls, "" when it is not known. It is called with the lock held.
	Way(from Place, account, service, region, host string) (endpoint string, err *Unreachable)
	// Gate judges an access by the endpoint's policy.
	Gate(endpoint string, p Principal, a Access) Decision
}

// SetNetwork sets who knows the ways to AWS. Without one every call takes the internet.
func (c *Cloud) SetNetwork(n Network) { c.network = n }

// Way is Network.Way; the internet when no network was set.
func (c *Cloud) Way(from Place, account, service, region, host string) (string, *Unreachable) {
	if c.network == nil || from == (Place{}) {
		return "", nil
	}
	return c.network.Way(from, account, service, region, host)
}

// through adds to an access where its call comes from, as condition keys.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
func (r *Request) through(a Access) Access {
	if r.Origin.Endpoint == "" {
		return a
	}
	ctx := maps.Clone(a.Context)
	if ctx == nil {
		ctx = map[string][]string{}
	}
	ctx["aws:SourceVpce"], ctx["aws:SourceVpc"] = []string{r.Origin.Endpoint}, []string{r.Origin.Place.VPC}
	a.Context = ctx
	return a
}

// gate judges an access by the policy of the endpoint the call came through. What an endpoint refuses reaches no service
// and leaves no management event in the account.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-network-events-with-cloudtrail.html
func (c *Cloud) gate(r *Request, a Access) error {
	if r.Origin.Endpoint == "" || c.network == nil {
		return nil
	}
	if d := c.network.Gate(r.Origin.Endpoint, r.Caller, a); !d.Allowed {
		r.stopped = true
		return Denied(r.Caller, a, d)
	}
	return nil
}
