package declared

import (
	"slices"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// usersOf finds the pipelines of a subject: the users of its connections in every Region, since a connection serves them all.
func usersOf(s *fact.Snapshot, c *scene) {
	if !c.found && len(c.users) == 0 {
		c.found = true
		if c.name.Kind == "host" {
			connectionsOf(s, c)
		}
		for _, x := range c.on {
			found, needs := fault.Users(s, x.ARN)
			c.need(needs...)
			c.users = append(c.users, found...)
		}
	}
	c.facts["pipelines"] = nil
	for _, p := range c.users {
		c.add("pipelines", p)
	}
}

func statesOf(s *fact.Snapshot, c *scene) {
	usersOf(s, c)
	for _, p := range c.users {
		c.need(fault.StateQuery(p.Ref().Scope, p.Name))
		if x, ok := fact.Get[fact.PipelineState](s, fault.StateRef(p)); ok {
			c.add("states", x)
		}
	}
}

func executionsOf(s *fact.Snapshot, c *scene) {
	usersOf(s, c)
	for _, p := range c.users {
		c.need(fault.ExecutionsQuery(p.Ref().Scope, p.Name))
		for _, x := range fault.Executions(s, p) {
			c.add("executions", x)
		}
	}
}

// runsOf are the newest runs of actions; a run that two lists showed is there once, as it was seen last.
func runsOf(s *fact.Snapshot, c *scene) {
	usersOf(s, c)
	for _, p := range c.users {
		c.need(fault.AllRunsQuery(p.Ref().Scope, p.Name))
		seen := map[string]bool{}
		for x := range fact.All[fact.ActionRun](s) {
			if x.Pipeline != p.Name || x.Ref().Scope != p.Ref().Scope || seen[x.ID] {
				continue
			}
			seen[x.ID] = true
			if newest, ok := fact.Get[fact.ActionRun](s, x.Ref()); ok {
				x = newest
			}
			c.add("runs", x)
		}
	}
}

// connectionsOf are the connections that a pipeline's sources use, or that stand on a host. One that does not exist is not in it.
func connectionsOf(s *fact.Snapshot, c *scene) {
	var on []fact.Connection
	if c.name.Kind == "host" {
		c.need(fault.ConnectionsQuery(s.Question()))
		for x := range fact.All[fact.Connection](s) {
			if x.HostARN == c.name.ARN && !slices.ContainsFunc(on, func(y fact.Connection) bool { return y.ARN == x.ARN }) {
				newest, _ := fact.Get[fact.Connection](s, x.Ref())
				on = append(on, newest)
			}
		}
	}
	for _, arn := range sources(c) {
		x, known, _, settles := fault.Connection(s, arn)
		c.need(settles)
		if known {
			on = append(on, x)
		}
	}
	c.on, c.facts["connections"] = on, nil
	for _, x := range on {
		c.add("connections", x)
	}
}

// sources are the ARNs of the connections of a pipeline's source actions.
func sources(c *scene) []string {
	if c.name.Kind != "pipeline" {
		return nil
	}
	var all []string
	for _, p := range c.users {
		for _, a := range p.Sources {
			all = append(all, a.Connection)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// hostsOf are the hosts of the subject's connections. One that does not exist is not in it.
func hostsOf(s *fact.Snapshot, c *scene) {
	if c.name.Kind == "pipeline" {
		connectionsOf(s, c)
	}
	var seen []string
	for _, x := range c.on {
		a, err := fact.ParseARN(x.HostARN)
		if err != nil || slices.Contains(seen, x.HostARN) {
			continue
		}
		seen = append(seen, x.HostARN)
		scope := fact.Scope{Account: s.Question().Account, Region: a.Region}
		c.need(fact.Query{Scope: scope, Kind: fact.KindHost})
		if h, ok := fact.Get[fact.Host](s, fact.Ref{Scope: scope, Kind: fact.KindHost, ID: x.HostARN}); ok {
			c.add("hosts", h)
		}
	}
}

// stacksOf are the stacks that a pipeline deploys. One that does not exist yet is not in it.
func stacksOf(s *fact.Snapshot, c *scene) {
	for _, p := range c.users {
		for _, q := range deployed(p) {
			if q.Scope.Account != s.Question().Account {
				c.blind = "the stack " + q.ID + " is in account " + q.Scope.Account + ", which these credentials do not read"
				continue
			}
			c.need(q)
			if st, ok := fact.Get[fact.Stack](s, fact.StackRef(q.Scope, q.ID)); ok {
				c.add("stacks", st)
			}
		}
	}
}

// projectsOf are the CodeBuild projects of a pipeline's actions.
func projectsOf(s *fact.Snapshot, c *scene) {
	seen := map[string]bool{}
	for _, p := range c.users {
		for _, st := range p.Stages {
			for _, a := range st.Actions {
				scope := p.Ref().Scope
				if a.Region != "" {
					scope.Region = a.Region
				}
				q := fact.Query{Scope: scope, Kind: fact.KindProject, ID: a.Project}
				if a.Project == "" || seen[q.Key()] {
					continue
				}
				seen[q.Key()] = true
				if arn, err := fact.ParseARN(a.RoleARN); err == nil && arn.Account != scope.Account {
					c.blind = "the project " + a.Project + " is in account " + arn.Account + ", which these credentials do not read"
					continue
				}
				c.need(q)
				if x, ok := fact.Get[fact.Project](s, fact.Ref{Scope: scope, Kind: fact.KindProject, ID: a.Project}); ok {
					c.add("projects", x)
				}
			}
		}
	}
}

// tagsOf are the tags of a connection: one fact.
func tagsOf(s *fact.Snapshot, c *scene) {
	q := fact.Query{Scope: fact.Scope{Account: s.Question().Account}, Kind: fact.KindTags, ID: c.name.ARN}
	c.need(q)
	if x, ok := fact.Get[fact.Tags](s, fact.Ref{Scope: q.Scope, Kind: q.Kind, ID: q.ID}); ok {
		c.add("tags", x)
	}
}
