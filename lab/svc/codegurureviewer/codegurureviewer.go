// Package codegurureviewer simulates the reading half of Amazon CodeGuru Reviewer: which repositories it looks at, and
// through which connections. It never reviews code.
package codegurureviewer

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/lab/cloud"
)

const maxPage = 100

// Association is a repository that the service looks at.
type Association struct {
	Account, Region   string
	ID                string // a UUID
	Connection        string // ARN
	ProviderType      string // GitHub, GitHubEnterpriseServer or Bitbucket
	Repository        string // full name: acme/web
	State             string // Associated, Associating, Failed, Disassociating or Disassociated
	Created, Modified time.Time
}

// ARN is the association's ARN.
func (a Association) ARN() string {
	return "arn:aws:codeguru-reviewer:" + a.Region + ":" + a.Account + ":association:" + a.ID
}

// Service is CodeGuru Reviewer in every account and Region. Its methods are called with the cloud's lock held.
type Service struct {
	c   *cloud.Cloud
	all []Association // oldest first
}

// New registers the service on a cloud.
func New(c *cloud.Cloud) *Service {
	s := &Service{c: c}
	c.Register(&cloud.Service{
		Name: "codeguru-reviewer", Version: "2019-09-19", Protocol: cloud.RESTJSON, Text: "Message", EventSource: "codeguru-reviewer.amazonaws.com",
		Ops: map[string]*cloud.Op{
			"ListRepositoryAssociations":    {Method: "GET", Path: "/associations", ReadOnly: true, Do: s.list},
			"DescribeRepositoryAssociation": {Method: "GET", Path: "/associations/{AssociationArn}", ReadOnly: true, Access: onAssociation, Do: s.describe},
		},
	})
	return s
}

// onAssociation is the access to the association that a request names.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncodegurureviewer.html
func onAssociation(r *cloud.Request) []cloud.Access {
	return []cloud.Access{{Action: "codeguru-reviewer:DescribeRepositoryAssociation", Resource: r.Str("AssociationArn")}}
}

// Associate states an association, gives it its ID and times, and returns it. The service knows no GitLab and no Azure DevOps.
func (s *Service) Associate(a Association) (Association, error) {
	if !slices.Contains([]string{"GitHub", "GitHubEnterpriseServer", "Bitbucket"}, a.ProviderType) {
		return a, fmt.Errorf("associate %s: CodeGuru Reviewer knows no repositories at %s", a.Repository, a.ProviderType)
	}
	a.ID, a.Created = s.c.UUID(), s.c.Now().UTC().Truncate(time.Second)
	a.Modified = a.Created
	if a.State == "" {
		a.State = "Associated"
	}
	s.all = append(s.all, a)
	return a, nil
}

func invalid(text string) error { return cloud.Errorf(cloud.ValidationError, "%s", text) }

func (s *Service) list(r *cloud.Request) (map[string]any, error) {
	want := r.Int("MaxResults", maxPage)
	if want < 1 || want > maxPage {
		return nil, invalid("MaxResults must be between 1 and 100.")
	}
	for _, state := range texts(r, "State") {
		if !slices.Contains([]string{"Associated", "Associating", "Failed", "Disassociating", "Disassociated"}, state) {
			return nil, invalid("State is not a state of an association.")
		}
	}
	var found []Association
	for _, a := range slices.Backward(s.all) {
		if a.Account == r.Account() && a.Region == r.Region && a.matches(r) {
			found = append(found, a)
		}
	}
	page, next, err := cloud.Page(r.Cloud, found, r.Str("NextToken"), want, maxPage, cloud.ValidationError)
	if err != nil {
		return nil, err
	}
	shown := []any{}
	for _, a := range page {
		shown = append(shown, a.summary())
	}
	out := map[string]any{"RepositoryAssociationSummaries": shown}
	if next != "" {
		out["NextToken"] = next
	}
	return out, nil
}

// texts are the values of a parameter of the query string, which may stand there several times.
func texts(r *cloud.Request, name string) []string {
	if one := r.Str(name); one != "" {
		return []string{one}
	}
	var all []string
	for _, x := range r.List(name) {
		if text, ok := x.(string); ok {
			all = append(all, text)
		}
	}
	return all
}

func (a Association) matches(r *cloud.Request) bool {
	owner, name, _ := strings.Cut(a.Repository, "/")
	for parameter, value := range map[string]string{"ProviderType": a.ProviderType, "State": a.State, "Name": name, "Owner": owner} {
		if wanted := texts(r, parameter); len(wanted) > 0 && !slices.Contains(wanted, value) {
			return false
		}
	}
	return true
}

func (a Association) summary() map[string]any {
	owner, name, _ := strings.Cut(a.Repository, "/")
	return map[string]any{"AssociationArn": a.ARN(), "AssociationId": a.ID, "ConnectionArn": a.Connection, "Name": name, "Owner": owner,
		"ProviderType": a.ProviderType, "State": a.State, "LastUpdatedTimeStamp": a.Modified}
}

func (s *Service) describe(r *cloud.Request) (map[string]any, error) {
	arn := r.Str("AssociationArn")
	if !regexp.MustCompile(`^arn:aws[^:\s]*:codeguru-reviewer:[^:\s]+:[\d]{12}:association:[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}$`).MatchString(arn) {
		return nil, invalid("AssociationArn is not the ARN of an association.")
	}
	for _, a := range s.all {
		if a.ARN() == arn && a.Account == r.Account() && a.Region == r.Region {
			m := a.summary()
			m["CreatedTimeStamp"], m["StateReason"] = a.Created, ""
			return map[string]any{"RepositoryAssociation": m}, nil
		}
	}
	return nil, &cloud.Error{Code: "NotFoundException", Message: "The requested resource was not found.", Status: 404}
}
