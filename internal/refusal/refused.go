package refusal

import (
	"strings"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// Refused is one refusal of a failed action.
type Refused struct {
	fault.Current
	denial  fact.Denial
	encoded string // the authorization message, where AWS encoded it
	role    string // ARN of the role that was refused
	assumer string // of a role that could not be assumed: the service, or the role that wanted to
	vague   bool   // the action's text says that something was refused and not what
}

// read reads the refusal of a failed action; false when it is none, or one of a connection, which is another fault.
func read(s *fact.Snapshot, c fault.Current) (Refused, bool) {
	text := c.State.Error
	if fault.OfStack(c) {
		return Refused{}, false // stack-action-failed
	}
	if bucket, _ := fault.RefusedBucket(text); bucket != "" && fault.StoredIn(c.Pipeline, bucket) {
		return Refused{}, false // artifact-denied
	}
	d, named := fact.ParseDenial(text)
	if fault.Read(text) == fault.SignatureDenied || strings.HasSuffix(d.Action, ":UseConnection") {
		return Refused{}, false // connection-denied
	}
	r := Refused{Current: c, denial: d, encoded: fact.EncodedMessage(text), role: c.Role()}
	switch {
	case named:
	case r.encoded != "":
		for x := range fact.All[fact.Decoded](s) {
			if x.Ref().ID == digest(r.encoded) && !x.Allowed {
				r.denial = fact.Denial{Principal: x.Principal, Action: x.Action, Resource: x.Resource, Explicit: x.Explicit}
			}
		}
	case vague(c):
		r.vague = true
		if e, ok := r.event(s); ok {
			r.denial, _ = fact.ParseDenial(e.Error)
		}
	default:
		return Refused{}, false
	}
	r.identify(s)
	return r, true
}

// vague reports whether a text says that AWS refused something without following its grammar. What a build says of itself is the
// build's matter.
func vague(c fault.Current) bool {
	text := strings.ToLower(c.State.Error)
	if c.Action.Category == "Source" || strings.Contains(text, "phase:") {
		return false
	}
	for _, w := range []string{"access denied", "accessdenied", "unauthorizedoperation", "not authorized to perform", "unauthorized to perform"} {
		if strings.Contains(text, w) {
			return true
		}
	}
	return c.State.ErrorCode == "PermissionError"
}

// identify finds out which role was refused and, for a role that could not be assumed, who wanted it.
func (r *Refused) identify(s *fact.Snapshot) {
	project, built := r.project(s)
	roles := []string{r.role, r.Pipeline.RoleARN}
	if built {
		roles = append(roles, project.Role)
	}
	if p := r.denial.Principal; p != "" {
		r.role = fact.RoleARN(p) // a session's ARN lacks the role's path
		for _, known := range roles {
			if sameRole(p, known) {
				r.role = known
				break
			}
		}
	}
	if r.denial.Action != assumeRole {
		return
	}
	switch {
	case r.denial.Principal != "":
		r.assumer = r.role
	case strings.Contains(r.State.Error, "CodeBuild is not authorized"):
		r.assumer = "codebuild.amazonaws.com"
		if r.denial.Resource == "" {
			r.denial.Resource = project.Role
		}
		r.role = r.denial.Resource
	default:
		r.assumer = "codepipeline.amazonaws.com"
		r.role = r.denial.Resource
	}
}

// project is the CodeBuild project of the action.
func (r *Refused) project(s *fact.Snapshot) (fact.Project, bool) {
	if r.Action.Project == "" {
		return fact.Project{}, false
	}
	q := r.projectQuery()
	return fact.Get[fact.Project](s, fact.Ref{Scope: q.Scope, Kind: q.Kind, ID: q.ID})
}

// projectQuery asks for the CodeBuild project of the action, in the action's own Region.
func (r *Refused) projectQuery() fact.Query {
	scope := r.Pipeline.Ref().Scope
	if r.Action.Region != "" {
		scope.Region = r.Action.Region
	}
	return fact.Query{Scope: scope, Kind: fact.KindProject, ID: r.Action.Project}
}

// sameRole reports whether a session is one of the role; a session's ARN lacks the role's path.
func sameRole(principal, role string) bool {
	a, err1 := fact.ParseARN(fact.RoleARN(principal))
	b, err2 := fact.ParseARN(role)
	return err1 == nil && err2 == nil && a.Account == b.Account && a.Name() == b.Name()
}

// digest names a text in queries.
func digest(text string) string { return string(fact.DigestOf(text))[7:23] }

// here reports whether the refused role is of the account asked about: others cannot be simulated or read from here.
func (r Refused) here(s *fact.Snapshot) bool { return ofAccount(s, r.role) }

func ofAccount(s *fact.Snapshot, role string) bool {
	a, err := fact.ParseARN(role)
	return err == nil && a.Account == s.Question().Account && strings.HasPrefix(a.Resource, "role/")
}

// governed is the role whose policies decide: the one to be assumed where a trust policy does, else the refused one.
func (r Refused) governed() string {
	if r.denial.Action == assumeRole && r.denial.Resource != "" && byType(r.denial.By, r.denial.Explicit) != noIdentity {
		return r.denial.Resource
	}
	return r.role
}

// policiesOf are a role's policies, as far as they were read.
func policiesOf(s *fact.Snapshot, role string) (fact.RolePolicies, bool) {
	for x := range fact.All[fact.RolePolicies](s) {
		if x.ARN == role {
			return x, true
		}
	}
	return fact.RolePolicies{}, false
}

// asks are the queries that explain a refusal: at most five look-ups of CloudTrail among them.
func (r Refused) asks(s *fact.Snapshot) []fact.Query {
	account := fact.Scope{Account: s.Question().Account}
	var all []fact.Query
	if r.encoded != "" && r.denial.By == "" {
		all = append(all, fact.Query{Scope: account, Kind: fact.KindDecoded, ID: digest(r.encoded), Args: map[string]string{"message": r.encoded}})
	}
	stranger := r.denial.Principal != "" && !sameRole(r.denial.Principal, r.Current.Role()) && !sameRole(r.denial.Principal, r.Pipeline.RoleARN)
	if r.Action.Project != "" && (stranger || r.assumer == "codebuild.amazonaws.com") {
		all = append(all, r.projectQuery())
	}
	if q, ok := r.simulationQuery(s); ok {
		all = append(all, q)
	}
	if target := r.governed(); ofAccount(s, target) {
		all = append(all, fact.Query{Scope: account, Kind: fact.KindPolicies, ID: target})
	}
	names, _ := r.logged()
	for _, name := range names {
		all = append(all, r.eventQuery(name))
	}
	for _, name := range r.writes() {
		all = append(all, fact.Query{Scope: fact.Scope{Account: account.Account, Region: "us-east-1"}, Kind: fact.KindEvent, ID: name}) // IAM is logged there
	}
	return all
}

func (r Refused) eventQuery(name string) fact.Query {
	scope := r.Pipeline.Ref().Scope
	if r.Action.Region != "" && r.denial.Action != assumeRole {
		scope.Region = r.Action.Region
	}
	return fact.Query{Scope: scope, Kind: fact.KindEvent, ID: name}
}
