// Package triage tells the three buckets apart for a finding: permissions, network, quotas, and the service itself where none of them
// explains it. It is a lens: it adds to findings what was ruled out and why, asks little, and never overrules a fault.
package triage

import (
	"fmt"
	"slices"
	"strings"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// maxPipelines is how many of the affected pipelines are looked at for each finding: what holds for them decides.
const maxPipelines = 3

// The documented limit of connections per account (docs/aws-facts.md, "Quotas").
const maxConnections = 250

// Lens adds the rulings to a finding.
func Lens() fault.Lens { return look }

func look(s *fact.Snapshot, f *fault.Finding) []fact.Query {
	if f.Severity == fault.Info {
		return nil // nothing suffers from it
	}
	pipelines := fault.Suffering(s, *f, maxPipelines)
	iam, asks := permissions(s, f, pipelines)
	net, more := network(s, f, pipelines)
	asks = append(asks, more...)
	f.Triage = []fault.Ruling{iam, net, quotas(s, f, pipelines)}
	if f.Bucket == fault.Service || (f.Cause.Class == fault.Unclear && slices.Contains([]fault.Bucket{fault.IAM, fault.Network, fault.Quota}, f.Bucket)) {
		r, q := service(s, f, pipelines)
		f.Triage = append(f.Triage, r)
		asks = append(asks, q...)
	}
	return asks
}

func ruling(b fault.Bucket, says fault.Says, class fault.Class, why string) fault.Ruling {
	return fault.Ruling{Bucket: b, Says: says, Why: why, Class: class}
}

// it is the ruling of the bucket that the finding's fault names itself.
func it(f *fault.Finding, b fault.Bucket) (fault.Ruling, bool) {
	return ruling(b, fault.ItIs, f.Cause.Class, f.Cause.Text), f.Bucket == b
}

const (
	useNew = "codeconnections:UseConnection"
	useOld = "codestar-connections:UseConnection"
)

// UseQuery asks whether a role may use a connection under both prefixes.
func UseQuery(account, role, connection string) fact.Query {
	return fact.Query{Scope: fact.Scope{Account: account}, Kind: fact.KindSimulation, ID: role,
		Args: map[string]string{"actions": useNew + "," + useOld, "resources": connection}}
}

// permissions looks at what failed and asks the simulator whether the pipelines' roles may use their connections.
func permissions(s *fact.Snapshot, f *fault.Finding, pipelines []fact.Pipeline) (fault.Ruling, []fact.Query) {
	if r, ok := it(f, fault.IAM); ok {
		return r, nil
	}
	var asks []fact.Query
	allowed, unseen := 0, ""
	denied := ""
	for _, p := range pipelines {
		for _, a := range p.Sources {
			if a.Connection != f.Subject.ARN && f.Subject.Kind == "connection" {
				continue
			}
			role := p.RoleARN
			if a.RoleARN != "" {
				role = a.RoleARN
			}
			q := UseQuery(s.Question().Account, role, a.Connection)
			if !slices.ContainsFunc(asks, func(x fact.Query) bool { return x.Key() == q.Key() }) {
				asks = append(asks, q)
			}
			switch word, gap := may(s, q, role, a.Connection); word {
			case "yes":
				allowed++
			case "no":
				denied = fmt.Sprintf("the simulator says that %s may not use the connection under both prefixes: it will be refused next", role)
			case "unseen":
				unseen = gap
			}
		}
	}
	switch {
	case denied != "":
		return ruling(fault.IAM, fault.ItIs, fault.Simulated, denied), asks
	case unseen != "":
		return ruling(fault.IAM, fault.Unseen, fault.Unclear, unseen), asks
	case allowed > 0 && f.Bucket == fault.Person:
		return ruling(fault.IAM, fault.RuledOut, fault.Simulated, "the pipelines' roles may use the connection under both prefixes"), asks
	case allowed > 0:
		return ruling(fault.IAM, fault.RuledOut, fault.Simulated, "the roles may use the connection under both prefixes, and no failure names a refusal"), asks
	}
	if why := unread(s, pipelines); why != "" {
		return ruling(fault.IAM, fault.Unseen, fault.Unclear, why), asks
	}
	if text := refusal(s, pipelines); text != "" {
		return ruling(fault.IAM, fault.ItIs, fault.Reported, text), asks
	}
	return ruling(fault.IAM, fault.RuledOut, fault.Reported, "no failure names a refusal"), asks
}

// unread says which state was not read; "" when all were.
func unread(s *fact.Snapshot, pipelines []fact.Pipeline) string {
	for _, p := range pipelines {
		q := fault.StateQuery(p.Ref().Scope, p.Name)
		if g, lost := s.GapOf(q); lost {
			return "the state of " + p.Name + " could not be read: " + g.Why
		}
		if !s.Answered(q) {
			return "the state of " + p.Name + " was not read"
		}
	}
	return ""
}

// may is "yes", "no", "unseen" with the reason, or "" while it is not known yet.
func may(s *fact.Snapshot, q fact.Query, role, connection string) (word, why string) {
	if g, lost := s.GapOf(q); lost {
		why = "the roles cannot be simulated: " + g.Why
		if g.Permission != "" {
			why = "the roles cannot be simulated: " + g.Permission + " is missing"
		}
		return "unseen", why
	}
	for sim := range fact.All[fact.Simulation](s) {
		if sim.Principal != role {
			continue
		}
		n, ok1 := sim.Decision(useNew, connection)
		o, ok2 := sim.Decision(useOld, connection)
		switch {
		case !ok1 || !ok2:
		case n.Allowed && o.Allowed:
			return "yes", ""
		default:
			return "no", ""
		}
	}
	return "", ""
}

// refusal is a failure of the pipelines that names one.
func refusal(s *fact.Snapshot, pipelines []fact.Pipeline) string {
	for _, p := range pipelines {
		fails, _ := fault.Fails(s, p)
		for _, c := range fails {
			if d, ok := fact.ParseDenial(c.State.Error); ok {
				return c.Name() + " was refused " + d.Action
			}
		}
	}
	return ""
}

// connection is the one that the finding is about.
func connection(s *fact.Snapshot, f *fault.Finding, pipelines []fact.Pipeline) (fact.Connection, bool) {
	arn := ""
	switch {
	case f.Subject.Kind == "connection":
		arn = f.Subject.ARN
	case f.Details.More["connection"] != "":
		arn = f.Details.More["connection"]
	default:
		for _, p := range pipelines {
			for _, a := range p.Sources {
				arn = a.Connection
			}
		}
	}
	return fact.Get[fact.Connection](s, fact.ConnectionRef(s.Question().Account, arn))
}

func providerName(t string) string {
	switch t {
	case "GitHub":
		return "GitHub.com"
	case "GitLab":
		return "GitLab.com"
	case "Bitbucket":
		return "Bitbucket Cloud"
	case "AzureDevOps":
		return "Azure DevOps"
	}
	return t
}

// quotas counts what was read against the limits, and names the clock of what still runs.
func quotas(s *fact.Snapshot, f *fault.Finding, pipelines []fact.Pipeline) fault.Ruling {
	if r, ok := it(f, fault.Quota); ok {
		return r
	}
	var said []string
	n := map[string]bool{}
	for c := range fact.All[fact.Connection](s) {
		n[c.ARN] = true
	}
	if len(n) > 0 && s.Answered(fault.ConnectionsQuery(s.Question())) {
		if len(n) >= maxConnections {
			return ruling(fault.Quota, fault.ItIs, fault.Inferred, fmt.Sprintf("the account holds %d connections, the documented limit is %d", len(n), maxConnections))
		}
		said = append(said, fmt.Sprintf("%d of %d connections", len(n), maxConnections))
	}
	for _, p := range pipelines {
		running, _ := fault.Running(s, p)
		for _, c := range running {
			clock := fault.ClockOf(c)
			said = append(said, fmt.Sprintf("%s may run until %s (%s)", c.Name(), fault.Stamp(clock.Ends), clock.Name))
		}
	}
	for _, p := range pipelines {
		fails, _ := fault.Fails(s, p)
		for _, c := range fails {
			if k := fault.Told(c.State.ErrorCode + " " + c.State.Error); k != fault.NoLimit {
				return ruling(fault.Quota, fault.ItIs, fault.Reported, c.Name()+" failed at a "+string(k))
			}
		}
	}
	if why := unread(s, pipelines); why != "" {
		return ruling(fault.Quota, fault.Unseen, fault.Unclear, why)
	}
	said = append(said, "no failure names a limit or a rate")
	return ruling(fault.Quota, fault.RuledOut, fault.Inferred, strings.Join(said, "; "))
}

// service asks AWS Health where no other bucket explains the finding.
func service(s *fact.Snapshot, f *fault.Finding, pipelines []fact.Pipeline) (fault.Ruling, []fact.Query) {
	region := f.Subject.Region
	if len(pipelines) > 0 {
		region = pipelines[0].Ref().Scope.Region
	}
	q := fact.Query{Scope: fact.Scope{Account: s.Question().Account}, Kind: fact.KindHealth, ID: region}
	asks := []fact.Query{q}
	if r, ok := it(f, fault.Service); ok {
		return r, asks
	}
	if g, lost := s.GapOf(q); lost {
		return ruling(fault.Service, fault.Unseen, fault.Unclear, "AWS Health: "+g.Why), asks
	}
	return ruling(fault.Service, fault.RuledOut, fault.Reported, "AWS Health reports nothing open for "+region), asks
}
