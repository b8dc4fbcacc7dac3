package fault

import (
	"slices"
	"strconv"
	"strings"

	"github.com/unjam/unjam/internal/fact"
)

// PipelineQuery asks for a pipeline's definition.
func PipelineQuery(scope fact.Scope, name string) fact.Query {
	return fact.Query{Scope: scope, Kind: fact.KindPipeline, ID: name}
}

// StateQuery asks for a pipeline's state.
func StateQuery(scope fact.Scope, name string) fact.Query {
	return fact.Query{Scope: scope, Kind: fact.KindPipelineState, ID: name}
}

// RunsQuery asks for the action runs of one execution.
func RunsQuery(scope fact.Scope, name, execution string) fact.Query {
	return fact.Query{Scope: scope, Kind: fact.KindAction, ID: name, Args: map[string]string{"execution": execution}}
}

// RegionsQuery asks which Regions the account has enabled.
func RegionsQuery(account string) fact.Query {
	return fact.Query{Scope: fact.Scope{Account: account}, Kind: fact.KindRegion}
}

// ListQuery asks for the names of a Region's pipelines.
func ListQuery(scope fact.Scope) fact.Query {
	return fact.Query{Scope: scope, Kind: fact.KindPipelineList}
}

// ConnectionQuery asks for one connection, in the Region that its ARN names.
func ConnectionQuery(account, arn string) fact.Query {
	return fact.Query{Scope: fact.Scope{Account: account}, Kind: fact.KindConnection, ID: arn}
}

// ConnectionsQuery asks for the account's connections. Any Region lists them all; the first one asked is taken.
func ConnectionsQuery(q fact.Question) fact.Query {
	return fact.Query{Scope: fact.Scope{Account: q.Account, Region: q.Regions[0]}, Kind: fact.KindConnection}
}

// Pipelines are the pipelines that the question is about, with the queries that reading them takes. With pipeline targets these
// are the targets; otherwise all of the Regions asked.
func Pipelines(s *fact.Snapshot) ([]fact.Pipeline, []fact.Query) {
	q := s.Question()
	var found []fact.Pipeline
	var needs []fact.Query
	take := func(scope fact.Scope, name string) {
		needs = append(needs, PipelineQuery(scope, name))
		if p, ok := fact.Get[fact.Pipeline](s, fact.PipelineRef(scope, name)); ok {
			found = append(found, p)
		}
	}
	if len(q.Targets) > 0 {
		for _, t := range q.Targets {
			switch t.Kind {
			case fact.KindStackState:
				those(s, take, &needs, func(p fact.Pipeline) bool { return Deploys(p, t.Name) })
			case fact.KindManagedCertificate:
				those(s, take, &needs, func(p fact.Pipeline) bool { return configured(p, t.Name) })
			}
			if t.Kind == fact.KindPipeline {
				take(TargetScope(q, t), t.Name)
				if t.Execution != "" {
					needs = append(needs, RunsQuery(TargetScope(q, t), t.Name, t.Execution))
				}
			}
		}
		return found, needs
	}
	for _, r := range q.Regions {
		scope := fact.Scope{Account: q.Account, Region: r}
		needs = append(needs, ListQuery(scope))
		for _, name := range Listed(s, scope) {
			take(scope, name)
		}
	}
	return found, needs
}

// those takes the pipelines of the Regions asked whose definitions are as wanted.
func those(s *fact.Snapshot, take func(fact.Scope, string), needs *[]fact.Query, wanted func(fact.Pipeline) bool) {
	for _, r := range s.Question().Regions {
		scope := fact.Scope{Account: s.Question().Account, Region: r}
		*needs = append(*needs, ListQuery(scope))
		for _, name := range Listed(s, scope) {
			p, read := fact.Get[fact.Pipeline](s, fact.PipelineRef(scope, name))
			if read && wanted(p) {
				take(scope, name)
				continue
			}
			*needs = append(*needs, PipelineQuery(scope, name))
		}
	}
}

// Subjects are the pipelines whose runs the question is about: with pipeline targets these, with a connection or host as target those
// that use it, otherwise all of the Regions asked.
func Subjects(s *fact.Snapshot) ([]fact.Pipeline, []fact.Query) {
	found, needs := Pipelines(s)
	q := s.Question()
	for _, t := range q.Targets {
		if t.Kind == fact.KindPipeline || t.Kind == fact.KindStackState || t.Kind == fact.KindManagedCertificate {
			continue
		}
		for _, r := range q.Regions {
			scope := fact.Scope{Account: q.Account, Region: r}
			needs = append(needs, ListQuery(scope))
			for _, name := range Listed(s, scope) {
				needs = append(needs, PipelineQuery(scope, name))
			}
		}
		arns, more := Connections(s)
		needs = append(needs, more...)
		for _, arn := range arns {
			for _, p := range Known(s, arn) {
				if !slices.ContainsFunc(found, func(x fact.Pipeline) bool { return x.ARN == p.ARN }) {
					found = append(found, p)
				}
			}
		}
	}
	return found, needs
}

// TargetScope is the account and Region of a target: its own where it names one, else the first asked.
func TargetScope(q fact.Question, t fact.Target) fact.Scope {
	region := t.Region
	if region == "" {
		region = q.Regions[0]
	}
	return fact.Scope{Account: q.Account, Region: region}
}

// Listed are the names of the pipelines seen in a list of the scope, sorted.
func Listed(s *fact.Snapshot, scope fact.Scope) []string {
	var names []string
	for p := range fact.All[fact.PipelineListed](s) {
		if p.Ref().Scope == scope {
			names = append(names, p.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Known are all pipelines whose definition was read and that use a connection, in Ref order.
func Known(s *fact.Snapshot, connectionARN string) []fact.Pipeline {
	var found []fact.Pipeline
	seen := map[fact.Ref]bool{}
	for p := range fact.All[fact.Pipeline](s) {
		if p.UsesConnection(connectionARN) && !seen[p.Ref()] {
			seen[p.Ref()] = true
			newest, _ := fact.Get[fact.Pipeline](s, p.Ref())
			found = append(found, newest)
		}
	}
	return found
}

// Connections are the ARNs of the connections that the question is about: those of its pipelines, its targets, those on its
// target hosts and, without targets, all that were listed. Needs are the queries that finding them takes.
func Connections(s *fact.Snapshot) (arns []string, needs []fact.Query) {
	q := s.Question()
	pipelines, needs := Pipelines(s)
	for _, p := range pipelines {
		for _, a := range p.Sources {
			arns = append(arns, a.Connection)
		}
	}
	for _, t := range q.Targets {
		switch t.Kind {
		case fact.KindConnection:
			arns = append(arns, t.Name)
		case fact.KindHost:
			needs = append(needs, ConnectionsQuery(q))
			for c := range fact.All[fact.Connection](s) {
				if c.HostARN == t.Name {
					arns = append(arns, c.ARN)
				}
			}
		}
	}
	if len(q.Targets) == 0 {
		needs = append(needs, ConnectionsQuery(q))
		for c := range fact.All[fact.Connection](s) {
			arns = append(arns, c.ARN)
		}
	}
	slices.Sort(arns)
	return slices.Compact(arns), needs
}

// Connection is what is known of one connection; the query is the one that settles it. A connection that the account's list
// showed needs no read of its own.
func Connection(s *fact.Snapshot, arn string) (c fact.Connection, known, absent bool, settles fact.Query) {
	q := s.Question()
	ref := fact.ConnectionRef(q.Account, arn)
	settles = ConnectionQuery(q.Account, arn)
	if _, gone := s.Absence(ref); gone {
		return c, false, true, settles
	}
	c, known = fact.Get[fact.Connection](s, ref)
	if known && !s.Answered(settles) {
		settles = ConnectionsQuery(q)
	}
	return c, known, false, settles
}

// Source is one source action of a pipeline on a connection, with its latest run.
type Source struct {
	Pipeline fact.Pipeline
	Stage    fact.Stage
	Action   fact.Action
	State    fact.ActionState // zero when the state was not read or the action never ran
	Stages   fact.StageState
	Seen     fact.PipelineState
	Known    bool // the state was read
}

// Failed reports whether the latest run of the action failed.
func (s Source) Failed() bool { return s.Known && s.State.Status == "Failed" }

// Sources are the source actions of a pipeline on a connection.
func Sources(s *fact.Snapshot, p fact.Pipeline, connectionARN string) []Source {
	var all []Source
	state, known := fact.Get[fact.PipelineState](s, fact.StateRef(p.Ref().Scope, p.Name))
	for st, a := range p.Sources {
		if a.Connection != connectionARN {
			continue
		}
		src := Source{Pipeline: p, Stage: st, Action: a, Seen: state, Known: known}
		if ss, ok := state.Stage(st.Name); ok {
			src.Stages = ss
			src.State, _ = ss.Action(a.Name)
		}
		all = append(all, src)
	}
	return all
}

// PipelineSubject is a pipeline as the subject of a finding.
func PipelineSubject(p fact.Pipeline) Subject {
	return Subject{Kind: "pipeline", ARN: p.ARN, Name: p.Name, Account: p.Ref().Scope.Account, Region: p.Ref().Scope.Region}
}

// ConnectionSubject is a connection as the subject of a finding; the Region is the one its ARN names.
func ConnectionSubject(arn, name string) Subject {
	a, err := fact.ParseARN(arn)
	if err != nil {
		return Subject{Kind: "connection", ARN: arn, Name: name}
	}
	if name == "" {
		name = a.Name()
	}
	return Subject{Kind: "connection", ARN: arn, Name: name, Account: a.Account, Region: a.Region}
}

// ConnectionLink is the console's page of a connection; the path carries the ARN's own service prefix
// (docs/aws-facts.md, "Console links").
func ConnectionLink(q fact.Question, arn string) string {
	a, err := fact.ParseARN(arn)
	if err != nil {
		return ""
	}
	return console(q, a.Region) + "/codesuite/settings/" + a.Account + "/" + a.Region + "/" + a.Service +
		"/connections/" + a.Name() + "?region=" + a.Region
}

// ConnectionsLink is the console's list of a Region's connections and, on its tab Hosts, of its hosts.
func ConnectionsLink(q fact.Question, region string) string {
	return console(q, region) + "/codesuite/settings/connections?region=" + region
}

// PipelineLink is the console's page of a pipeline.
func PipelineLink(q fact.Question, p fact.Pipeline) string {
	r := p.Ref().Scope.Region
	return console(q, r) + "/codesuite/codepipeline/pipelines/" + p.Name + "/view?region=" + r
}

func console(q fact.Question, region string) string {
	domain := "console.aws.amazon.com"
	switch {
	case q.Console != "":
		return q.Console
	case fact.Partition(region) == "aws-us-gov":
		domain = "console.amazonaws-us-gov.com"
	case fact.Partition(region) == "aws-cn":
		domain = "console.amazonaws.cn"
	}
	return "https://" + region + "." + domain
}

// Signature says what a source action's error text means, as far as its wording is known.
type Signature string

// The known texts of connection sources (docs/aws-facts.md, "Error texts"). Other texts give SignatureNone: the program never
// depends on a text alone.
const (
	SignatureNone         Signature = ""
	SignatureDenied       Signature = "denied"        // the role lacks UseConnection; also seen when the ARN is dead
	SignatureNoBranch     Signature = "no-branch"     // repository or branch not visible
	SignatureNotAvailable Signature = "not-available" // the connection was not AVAILABLE
	SignatureRole         Signature = "role"          // the pipeline's role could not be assumed
)

// Read recognises an error text.
func Read(text string) Signature {
	t := strings.ToLower(text)
	has := func(parts ...string) bool {
		for _, p := range parts {
			if !strings.Contains(t, p) {
				return false
			}
		}
		return true
	}
	switch {
	case has("unable to use connection", "sufficient permissions"), has("not authorized to perform", "useconnection"):
		return SignatureDenied
	case has("no branch [", "found for fullrepositoryname"):
		return SignatureNoBranch
	case has("not in available state"), has("not in an available state"), has("connection", "is not available"), has("connection", "pending"):
		return SignatureNotAvailable
	case has("assumerole"), has("not authorized to perform: sts:"), has("role", "assume"):
		return SignatureRole
	}
	return SignatureNone
}

// Plural is "1 pipeline" or "3 pipelines".
func Plural(n int, noun string) string {
	s := strconv.Itoa(n) + " " + noun
	if n != 1 {
		s += "s"
	}
	return s
}
