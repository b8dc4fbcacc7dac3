package declared

import (
	"reflect"
	"slices"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// sort is a sort of subject: what `for` names.
type sort struct {
	typ   reflect.Type
	kind  fact.Kind   // of the subject itself
	base  []fact.Kind // what finding the subjects reads
	lists []fact.Kind // what may be read beside it
	find  func(*fact.Snapshot) ([]*scene, []fact.Query)
}

// sorts are the sorts of subjects, by name.
func sorts() map[string]sort {
	runs := []fact.Kind{fact.KindPipelineState, fact.KindExecution, fact.KindAction}
	return map[string]sort{
		"pipeline": {
			typ: reflect.TypeFor[fact.Pipeline](), kind: fact.KindPipeline, find: pipelines,
			base:  []fact.Kind{fact.KindPipelineList, fact.KindPipeline, fact.KindConnection, fact.KindAction},
			lists: append(slices.Clone(runs), fact.KindConnection, fact.KindHost, fact.KindStackState, fact.KindProject),
		},
		"connection": {
			typ: reflect.TypeFor[fact.Connection](), kind: fact.KindConnection, find: connections,
			base:  []fact.Kind{fact.KindPipelineList, fact.KindPipeline, fact.KindConnection, fact.KindAction},
			lists: append(slices.Clone(runs), fact.KindPipeline, fact.KindHost, fact.KindTags),
		},
		"host": {
			typ: reflect.TypeFor[fact.Host](), kind: fact.KindHost, find: hosts,
			base:  []fact.Kind{fact.KindPipelineList, fact.KindPipeline, fact.KindConnection, fact.KindHost, fact.KindAction},
			lists: append(slices.Clone(runs), fact.KindPipeline, fact.KindConnection),
		},
		"stack": {
			typ: reflect.TypeFor[fact.Stack](), kind: fact.KindStackState, find: stacks,
			base:  []fact.Kind{fact.KindPipelineList, fact.KindPipeline, fact.KindStackState, fact.KindConnection, fact.KindAction},
			lists: append(slices.Clone(runs), fact.KindPipeline),
		},
	}
}

// list is what an expression finds the facts of one kind in: those that belong to its subject.
type list struct {
	kind fact.Kind
	name string
	typ  reflect.Type
	fill func(*fact.Snapshot, *scene)
}

// lists are all lists; which of them a subject has says its sort.
func lists() []list {
	return []list{
		{fact.KindPipeline, "pipelines", reflect.TypeFor[fact.Pipeline](), usersOf},
		{fact.KindPipelineState, "states", reflect.TypeFor[fact.PipelineState](), statesOf},
		{fact.KindExecution, "executions", reflect.TypeFor[fact.Execution](), executionsOf},
		{fact.KindAction, "runs", reflect.TypeFor[fact.ActionRun](), runsOf},
		{fact.KindConnection, "connections", reflect.TypeFor[fact.Connection](), connectionsOf},
		{fact.KindHost, "hosts", reflect.TypeFor[fact.Host](), hostsOf},
		{fact.KindStackState, "stacks", reflect.TypeFor[fact.Stack](), stacksOf},
		{fact.KindProject, "projects", reflect.TypeFor[fact.Project](), projectsOf},
		{fact.KindTags, "tags", reflect.TypeFor[fact.Tags](), tagsOf},
	}
}

func listNamed(name string) (list, bool) {
	all := lists()
	i := slices.IndexFunc(all, func(l list) bool { return l.name == name })
	if i < 0 {
		return list{}, false
	}
	return all[i], true
}

func listOf(k fact.Kind) (list, bool) {
	all := lists()
	i := slices.IndexFunc(all, func(l list) bool { return l.kind == k })
	if i < 0 {
		return list{}, false
	}
	return all[i], true
}

// scene is one subject with what belongs to it, as far as it was read.
type scene struct {
	subject fact.Fact // nil while it was not read
	name    fault.Subject
	about   fact.Ref
	link    string
	users   []fact.Pipeline   // the pipelines that it is about
	on      []fact.Connection // the connections that it is about
	needs   []fact.Query      // without an answer to each of these it is not judged
	blind   string            // why it cannot be judged whatever is answered; "" when nothing is in the way
	facts   map[string][]fact.Fact
	found   bool // the pipelines and connections were looked up
}

func (c *scene) need(q ...fact.Query) { c.needs = append(c.needs, q...) }

func (c *scene) add(list string, f fact.Fact) { c.facts[list] = append(c.facts[list], f) }

// pipelines are the pipelines that the question is about.
func pipelines(s *fact.Snapshot) ([]*scene, []fact.Query) {
	found, needs := fault.Subjects(s)
	var all []*scene
	for _, p := range found {
		all = append(all, &scene{subject: p, name: fault.PipelineSubject(p), about: p.Ref(), link: fault.PipelineLink(s.Question(), p), users: []fact.Pipeline{p}})
	}
	return all, needs
}

// connections are the connections that the question is about.
func connections(s *fact.Snapshot) ([]*scene, []fact.Query) {
	arns, needs := fault.Connections(s)
	var all []*scene
	for _, arn := range arns {
		c, known, absent, settles := fault.Connection(s, arn)
		if absent {
			needs = append(needs, settles)
			continue
		}
		x := &scene{name: fault.ConnectionSubject(arn, c.Name), about: fact.ConnectionRef(s.Question().Account, arn), link: fault.ConnectionLink(s.Question(), arn), needs: []fact.Query{settles}}
		if known {
			x.subject, x.on = c, []fact.Connection{c}
		}
		all = append(all, x)
	}
	return all, needs
}

// hosts are the target hosts, those of the question's connections and, without targets, all of the Regions asked.
func hosts(s *fact.Snapshot) ([]*scene, []fact.Query) {
	arns, needs := fault.Connections(s)
	q := s.Question()
	var names []string
	for _, t := range q.Targets {
		if t.Kind == fact.KindHost {
			names = append(names, t.Name)
		}
	}
	for _, arn := range arns {
		c, known, _, settles := fault.Connection(s, arn)
		needs = append(needs, settles)
		if known && c.HostARN != "" {
			names = append(names, c.HostARN)
		}
	}
	if len(q.Targets) == 0 {
		for _, r := range q.Regions {
			needs = append(needs, fact.Query{Scope: fact.Scope{Account: q.Account, Region: r}, Kind: fact.KindHost})
		}
		for h := range fact.All[fact.Host](s) {
			if slices.Contains(q.Regions, h.Ref().Scope.Region) {
				names = append(names, h.ARN)
			}
		}
	}
	slices.Sort(names)
	var all []*scene
	for _, arn := range slices.Compact(names) {
		if a, err := fact.ParseARN(arn); err == nil {
			all = append(all, hostScene(s, arn, a))
		}
	}
	return all, needs
}

// hostScene is one host. A host that the list of its Region does not show is gone: there is nothing to judge.
func hostScene(s *fact.Snapshot, arn string, a fact.ARN) *scene {
	scope := fact.Scope{Account: s.Question().Account, Region: a.Region}
	x := &scene{
		name:  fault.Subject{Kind: "host", ARN: arn, Name: a.Name(), Account: a.Account, Region: a.Region},
		about: fact.Ref{Scope: scope, Kind: fact.KindHost, ID: arn}, link: fault.ConnectionsLink(s.Question(), a.Region),
		needs: []fact.Query{{Scope: scope, Kind: fact.KindHost}},
	}
	if h, ok := fact.Get[fact.Host](s, x.about); ok {
		x.subject, x.name.Name = h, h.Name
	}
	return x
}

// stacks are the stacks that the question's pipelines deploy.
func stacks(s *fact.Snapshot) ([]*scene, []fact.Query) {
	found, needs := fault.Subjects(s)
	var all []*scene
	for _, p := range found {
		for _, q := range deployed(p) {
			i := slices.IndexFunc(all, func(x *scene) bool { return x.about == fact.StackRef(q.Scope, q.ID) })
			if i < 0 {
				i = len(all)
				all = append(all, stackScene(s, q))
			}
			if !slices.ContainsFunc(all[i].users, func(x fact.Pipeline) bool { return x.ARN == p.ARN }) {
				all[i].users = append(all[i].users, p)
			}
		}
	}
	return all, needs
}

// stackScene is one stack. One of another account is not read with these credentials.
func stackScene(s *fact.Snapshot, q fact.Query) *scene {
	x := &scene{
		name:  fault.Subject{Kind: "stack", ARN: stackARN(q), Name: q.ID, Account: q.Scope.Account, Region: q.Scope.Region},
		about: fact.StackRef(q.Scope, q.ID), link: fault.StackLink(s.Question(), q.Scope.Region, q.ID),
	}
	if q.Scope.Account != s.Question().Account {
		x.blind = "the stack " + q.ID + " is in account " + q.Scope.Account + ", which these credentials do not read"
		return x
	}
	x.need(q)
	if st, ok := fact.Get[fact.Stack](s, x.about); ok {
		x.subject, x.name.ARN = st, st.ARN
	}
	return x
}

// stackARN is a stack's ARN without the unique part, which only AWS knows.
func stackARN(q fact.Query) string {
	return fact.ARN{Partition: fact.Partition(q.Scope.Region), Service: "cloudformation", Region: q.Scope.Region, Account: q.Scope.Account, Resource: "stack/" + q.ID}.String()
}

// deployed are the queries of the stacks that a pipeline deploys.
func deployed(p fact.Pipeline) []fact.Query {
	var all []fact.Query
	for _, st := range p.Stages {
		for _, a := range st.Actions {
			q := fact.Query{Scope: fault.StackScope(p, a), Kind: fact.KindStackState, ID: a.StackName}
			if a.StackName != "" && !slices.ContainsFunc(all, func(x fact.Query) bool { return x.Key() == q.Key() }) {
				all = append(all, q)
			}
		}
	}
	return all
}
