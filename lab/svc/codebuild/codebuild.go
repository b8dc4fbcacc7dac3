// Package codebuild simulates the reading half of AWS CodeBuild, and the builds that pipelines start: a full clone goes through
// a connection with the rights of the project's own role. It never builds anything.
package codebuild

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/lab/cloud"
)

// DefaultRole is the name of the role of projects that were given none; its path is /service-role/.
const DefaultRole = "CodeBuildServiceRole"

// Roles finds the roles that builds run with.
type Roles interface {
	// RolePrincipalByARN is a session of a role; false when the role does not exist.
	RolePrincipalByARN(arn, session string) (cloud.Principal, bool)
	// MayAssume judges a role's trust policy.
	MayAssume(p cloud.Principal, roleARN string) cloud.Decision
}

// Project is a build project.
type Project struct {
	Account, Region, Name string
	Role                  string   // ARN of the service role
	VPC                   string   // VPC ID, "" for none
	Subnets, Groups       []string // IDs
	Created               time.Time
	Source                Source   // zero for what a pipeline hands over
	Secondary             []Source // of identifiers secondary1, secondary2, ...
	Webhook               bool     // a push to the source starts a build
}

// ARN is the project's ARN.
func (p Project) ARN() string {
	return "arn:aws:codebuild:" + p.Region + ":" + p.Account + ":project/" + p.Name
}

// Service is CodeBuild in every account and Region. It is guarded by the cloud's lock.
type Service struct {
	c        *cloud.Cloud
	roles    Roles
	projects map[string]Project // by ARN
	builds   []build            // oldest first
	tokens   []Credential       // in order of creation
	numbers  map[string]int     // project ARN to its last build's number
	// referred lists the projects that pipelines name, which exist without having been stated.
	referred func(account, region string) []string
}

// New registers the service on a cloud.
func New(c *cloud.Cloud, roles Roles) *Service {
	s := &Service{c: c, roles: roles, projects: map[string]Project{}, numbers: map[string]int{}, referred: func(string, string) []string { return nil }}
	c.Register(&cloud.Service{
		Name: "codebuild", Target: "CodeBuild_20161006", Version: "2016-10-06", Protocol: cloud.JSON11, EventSource: "codebuild.amazonaws.com",
		Ops: map[string]*cloud.Op{
			"ListProjects":          {ReadOnly: true, Do: s.listProjects},
			"ListSourceCredentials": {ReadOnly: true, Do: s.listSourceCredentials},
			"BatchGetProjects":      {ReadOnly: true, Access: onProjects("names"), Do: s.batchGetProjects},
			"ListBuildsForProject":  {ReadOnly: true, Access: onProjects("projectName"), Do: s.listBuildsForProject},
			"BatchGetBuilds":        {ReadOnly: true, Access: onProjects("ids"), Do: s.batchGetBuilds},
		},
	})
	return s
}

// ReferTo says who knows the projects that pipelines name.
func (s *Service) ReferTo(projects func(account, region string) []string) { s.referred = projects }

// onProjects is the access to the projects that a member of the request names, by name or by the build's ID.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscodebuild.html
func onProjects(member string) func(*cloud.Request) []cloud.Access {
	return func(r *cloud.Request) []cloud.Access {
		names := texts(r.List(member))
		if one := r.Str(member); one != "" {
			names = []string{one}
		}
		all := []cloud.Access{}
		for _, name := range names {
			name, _, _ = strings.Cut(name, ":")
			p := Project{Account: r.Account(), Region: r.Region, Name: name}
			all = append(all, cloud.Access{Action: "codebuild:" + r.Operation, Resource: p.ARN()})
		}
		if len(all) == 0 {
			p := Project{Account: r.Account(), Region: r.Region, Name: "*"}
			all = append(all, cloud.Access{Action: "codebuild:" + r.Operation, Resource: p.ARN()})
		}
		return all
	}
}

// SetProject states a project, or replaces it.
func (s *Service) SetProject(p Project) {
	if p.Role == "" {
		p.Role = defaultRole(p.Account)
	}
	if p.Created.IsZero() {
		p.Created = s.c.Now().UTC().Truncate(time.Second)
	}
	s.projects[p.ARN()] = p
}

func defaultRole(account string) string {
	return "arn:aws:iam::" + account + ":role/service-role/" + DefaultRole
}

// project finds a project: stated, or named by a pipeline.
func (s *Service) project(account, region, name string) (Project, bool) {
	p := Project{Account: account, Region: region, Name: name, Role: defaultRole(account)}
	if known, ok := s.projects[p.ARN()]; ok {
		return known, true
	}
	return p, slices.Contains(s.referred(account, region), name)
}

func (s *Service) names(account, region string) []string {
	found := map[string]bool{}
	for _, p := range s.projects {
		if p.Account == account && p.Region == region {
			found[p.Name] = true
		}
	}
	for _, name := range s.referred(account, region) {
		found[name] = true
	}
	return slices.Sorted(maps.Keys(found))
}

func (p Project) show() map[string]any {
	m := map[string]any{
		"name": p.Name, "arn": p.ARN(), "serviceRole": p.Role, "source": p.Source.show(""),
		"artifacts": p.artifacts(), "cache": map[string]any{"type": "NO_CACHE"},
		"environment": map[string]any{"type": "LINUX_CONTAINER", "image": "aws/codebuild/standard:7.0", "computeType": "BUILD_GENERAL1_SMALL",
			"environmentVariables": []any{}, "privilegedMode": false, "imagePullCredentialsType": "CODEBUILD"},
		"timeoutInMinutes": 60, "queuedTimeoutInMinutes": 480, "badge": map[string]any{"badgeEnabled": false}, "tags": []any{}, "projectVisibility": "PRIVATE",
	}
	if !p.Created.IsZero() {
		m["created"], m["lastModified"] = p.Created, p.Created
	}
	if p.VPC != "" {
		m["vpcConfig"] = p.network()
	}
	for i, x := range p.Secondary {
		more, _ := m["secondarySources"].([]any)
		m["secondarySources"] = append(more, x.show(fmt.Sprintf("secondary%d", i+1)))
	}
	if p.Webhook {
		m["webhook"] = map[string]any{"payloadUrl": "https://codebuild." + p.Region + ".amazonaws.com/webhooks?t=" + p.Name, "url": strings.TrimSuffix(p.Source.Location, ".git") + "/settings/hooks"}
	}
	return m
}

func (p Project) network() map[string]any {
	return map[string]any{"vpcId": p.VPC, "subnets": p.Subnets, "securityGroupIds": p.Groups}
}

func (s *Service) listProjects(r *cloud.Request) (map[string]any, error) {
	page, next, err := cloud.Page(r.Cloud, s.names(r.Account(), r.Region), r.Str("nextToken"), 0, 100, invalidInput)
	if err != nil {
		return nil, err
	}
	out := map[string]any{}
	if len(page) > 0 { // the model knows no empty list
		out["projects"] = page
	}
	return withToken(out, next), nil
}

const invalidInput = "InvalidInputException"

func withToken(out map[string]any, next string) map[string]any {
	if next != "" {
		out["nextToken"] = next
	}
	return out
}

// batch reads a list of 1 to 100 names.
func batch(r *cloud.Request, member string) ([]string, error) {
	names := texts(r.List(member))
	if len(names) < 1 || len(names) > 100 {
		return nil, cloud.Errorf(invalidInput, "1 validation error detected: Value at '%s' failed to satisfy constraint: Member must have length between 1 and 100", member)
	}
	return names, nil
}

func (s *Service) batchGetProjects(r *cloud.Request) (map[string]any, error) {
	names, err := batch(r, "names")
	if err != nil {
		return nil, err
	}
	found, missing := []any{}, []string{}
	for _, name := range names {
		if p, ok := s.project(r.Account(), r.Region, name); ok {
			found = append(found, p.show())
		} else {
			missing = append(missing, name)
		}
	}
	out := map[string]any{"projects": found}
	if len(missing) > 0 {
		out["projectsNotFound"] = missing
	}
	return out, nil
}

func (s *Service) listBuildsForProject(r *cloud.Request) (map[string]any, error) {
	name := r.Str("projectName")
	if name == "" {
		return nil, cloud.Errorf(invalidInput, "1 validation error detected: Value at 'projectName' failed to satisfy constraint: Member must have length greater than or equal to 1")
	}
	if _, ok := s.project(r.Account(), r.Region, name); !ok {
		return nil, cloud.Errorf("ResourceNotFoundException", "Provided resource %s does not exist", name)
	}
	ids := []string{}
	for _, b := range s.builds {
		if b.of.Account == r.Account() && b.of.Region == r.Region && b.of.Name == name {
			ids = append(ids, b.id)
		}
	}
	if r.Str("sortOrder") != "ASCENDING" {
		slices.Reverse(ids)
	}
	page, next, err := cloud.Page(r.Cloud, ids, r.Str("nextToken"), 0, 100, invalidInput)
	if err != nil {
		return nil, err
	}
	out := map[string]any{}
	if len(page) > 0 { // the model knows no empty list
		out["ids"] = page
	}
	return withToken(out, next), nil
}

func (s *Service) batchGetBuilds(r *cloud.Request) (map[string]any, error) {
	ids, err := batch(r, "ids")
	if err != nil {
		return nil, err
	}
	found, missing := []any{}, []string{}
	for _, id := range ids {
		i := slices.IndexFunc(s.builds, func(b build) bool {
			return b.id == id && b.of.Account == r.Account() && b.of.Region == r.Region
		})
		if i >= 0 {
			found = append(found, s.builds[i].show())
		} else {
			missing = append(missing, id)
		}
	}
	out := map[string]any{"builds": found}
	if len(missing) > 0 {
		out["buildsNotFound"] = missing
	}
	return out, nil
}

func texts(l []any) []string {
	var all []string
	for _, x := range l {
		if t, ok := x.(string); ok {
			all = append(all, t)
		}
	}
	return all
}
