// Package ec2 simulates the part of Amazon EC2 that decides whether something in a VPC gets anywhere: subnets, security
// groups, network ACLs, routes, DHCP options and VPC endpoints. It never simulates a packet or a machine: it answers
// whether a path exists, by the rules of its own state.
package ec2

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

	"github.com/unjam/unjam/lab/cloud"
)

// Version is the API version, as every request names it.
const Version = "2016-11-15"

// maxPage is the largest MaxResults of the Describe calls; DescribeRouteTables stops at 100.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcs.html
const maxPage = 1000

// endpointTime is how long a VPC endpoint is pending. AWS documents no time; this is the lab's own.
const endpointTime = time.Minute

// Service is EC2. It is guarded by the cloud's lock. IDs are the same in every run of one world.
type Service struct {
	c    *cloud.Cloud
	made int // things made by API calls so far, for their IDs

	vpcs       table[VPC]
	subnets    table[Subnet]
	groups     table[Group]
	acls       table[ACL]
	routes     table[RouteTable]
	dhcp       table[DhcpOptions]
	endpoints  table[Endpoint]
	interfaces table[Interface]
	nats       table[NatGateway]
	gateways   table[InternetGateway]
}

// New registers EC2 on a cloud and makes it the cloud's network.
func New(c *cloud.Cloud) *Service {
	s := &Service{c: c}
	ops := map[string]*cloud.Op{}
	s.readOps(ops)
	s.endpointReadOps(ops)
	s.groupOps(ops)
	s.aclOps(ops)
	s.routeOps(ops)
	s.dhcpOps(ops)
	s.endpointOps(ops)
	c.Register(&cloud.Service{
		Name: "ec2", Version: Version, Namespace: "http://ec2.amazonaws.com/doc/" + Version + "/",
		Protocol: cloud.EC2, EventSource: "ec2.amazonaws.com", Ops: ops,
	})
	c.SetNetwork(s)
	return s
}

// Key is where a thing is and what it is called: EC2's IDs are unique, but each account sees its own only, one Region
// at a time.
type Key struct{ Account, Region, ID string }

// newID makes an ID of the newer form: the prefix, a dash, 17 hexadecimal digits.
func newID(prefix string, seed ...string) string {
	sum := sha256.Sum256([]byte(prefix + " " + strings.Join(seed, " ")))
	return fmt.Sprintf("%s-0%x", prefix, sum[:8])
}

// nextID is the ID of something that a call makes.
func (s *Service) nextID(prefix string) string {
	s.made++
	return newID(prefix, "made", fmt.Sprint(s.made))
}

// table holds the things of one kind, in order of creation. Readers see writes as late as Cloud.Lag says.
type table[T any] struct{ rows []*row[T] }

type row[T any] struct {
	Key
	v cloud.Lagged[T]
}

func (t *table[T]) put(c *cloud.Cloud, k Key, v T) {
	for _, r := range t.rows {
		if r.Key == k {
			r.v.Set(c, v)
			return
		}
	}
	r := &row[T]{Key: k}
	r.v.Set(c, v)
	t.rows = append(t.rows, r)
}

func (t *table[T]) remove(c *cloud.Cloud, k Key) {
	for _, r := range t.rows {
		if r.Key == k {
			r.v.Delete(c)
		}
	}
}

// get is the truth about one thing.
func (t *table[T]) get(k Key) (T, bool) {
	for _, r := range t.rows {
		if r.Key == k {
			return r.v.Truth()
		}
	}
	var none T
	return none, false
}

// all is the truth about the things of an account in a Region.
func (t *table[T]) all(account, region string) []T {
	var all []T
	for _, r := range t.rows {
		if v, ok := r.v.Truth(); ok && r.Account == account && r.Region == region {
			all = append(all, v)
		}
	}
	return all
}

// seen is what a reader sees of them.
func (t *table[T]) seen(c *cloud.Cloud, account, region string) []T {
	var all []T
	for _, r := range t.rows {
		if v, ok := r.v.Seen(c); ok && r.Account == account && r.Region == region {
			all = append(all, v)
		}
	}
	return all
}

// anywhere finds an ID whoever owns it.
func (t *table[T]) anywhere(id string) (Key, T, bool) {
	for _, r := range t.rows {
		if v, ok := r.v.Truth(); ok && r.ID == id {
			return r.Key, v, true
		}
	}
	var none T
	return Key{}, none, false
}

// key names a thing of the caller's account in the Region of the call.
func key(r *cloud.Request, id string) Key { return Key{r.Account(), r.Region, id} }

// arn is the ARN of a resource, as permissions name it.
func arn(r *cloud.Request, kind, id string) string {
	return "arn:aws:ec2:" + r.Region + ":" + r.Account() + ":" + kind + "/" + id
}

// missing is the error for an ID that the account does not have in the Region.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
func missing(code, what, id string) error {
	return cloud.Errorf(code, "The %s '%s' does not exist", what, id)
}

// texts is a list of texts in an input, whether one was given or several.
func texts(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var all []string
		for _, x := range v {
			if t, ok := x.(string); ok {
				all = append(all, t)
			}
		}
		return all
	}
	return nil
}

// need is an access to one resource.
func need(r *cloud.Request, kind, id string) cloud.Access {
	return cloud.Access{Action: "ec2:" + r.Operation, Resource: arn(r, kind, id)}
}

// missingParameter is the refusal of a call that lacks what it must have.
func missingParameter(name string) error {
	return cloud.Errorf("MissingParameter", "The request must contain the parameter %s", name)
}

// required refuses a call that lacks one of the parameters.
func required(r *cloud.Request, names ...string) error {
	for _, n := range names {
		if v, ok := r.In[n]; !ok || v == "" {
			return missingParameter(strings.ToLower(n[:1]) + n[1:])
		}
	}
	return nil
}

// done is the reply of a call that has nothing else to say.
func done() map[string]any { return map[string]any{"return": true} }
