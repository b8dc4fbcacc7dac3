// Package account simulates AWS Account Management: which Regions an account may use.
// It never changes them; a world states them.
package account

import (
	"maps"
	"slices"

	"github.com/unjam/unjam/lab/cloud"
)

// maxPage is the most Regions one page holds.
// https://docs.aws.amazon.com/accounts/latest/reference/API_ListRegions.html
const maxPage = 50

// New registers the service on a cloud.
func New(c *cloud.Cloud) {
	c.Register(&cloud.Service{
		Name: "account", Version: "2021-02-01", Protocol: cloud.RESTJSON, EventSource: "account.amazonaws.com", Global: true,
		Ops: map[string]*cloud.Op{
			"ListRegions": {Method: "POST", Path: "/listRegions", ReadOnly: true, Access: access("ListRegions"), Do: listRegions},
		},
	})
}

// access names the account itself as the resource, in the form of the caller's own or another account of the organisation.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsaccountmanagement.html
func access(op string) func(*cloud.Request) []cloud.Access {
	return func(r *cloud.Request) []cloud.Access {
		return []cloud.Access{{Action: "account:" + op, Resource: "arn:aws:account::" + r.Account() + ":account"}}
	}
}

func listRegions(r *cloud.Request) (map[string]any, error) {
	if other := r.Str("AccountId"); other != "" && other != r.Account() {
		return nil, &cloud.Error{Code: cloud.AccessDenied, Message: "User: " + r.Caller.ARN + " is not authorized to perform: account:ListRegions (The management account must enable trusted access for AWS Account Management.)"}
	}
	want := r.Int("MaxResults", maxPage)
	if want < 1 || want > maxPage {
		return nil, invalid("MaxResults must be between 1 and 50")
	}
	var all []map[string]any
	regions := r.Cloud.Account(r.Account()).Status()
	for _, name := range slices.Sorted(maps.Keys(regions)) {
		if wanted(r.List("RegionOptStatusContains"), regions[name]) {
			all = append(all, map[string]any{"RegionName": name, "RegionOptStatus": regions[name]})
		}
	}
	page, next, err := cloud.Page(r.Cloud, all, r.Str("NextToken"), want, maxPage, cloud.ValidationError)
	if err != nil {
		return nil, err
	}
	out := map[string]any{"Regions": page}
	if next != "" {
		out["NextToken"] = next
	}
	return out, nil
}

func wanted(contains []any, status string) bool {
	return len(contains) == 0 || slices.Contains(contains, any(status))
}

func invalid(message string) error { return cloud.Errorf(cloud.ValidationError, "%s", message) }
