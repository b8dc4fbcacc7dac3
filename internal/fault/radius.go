package fault

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/op"
	"github.com/unjam/unjam/internal/plan"
)

// Radius says what else notices when a thing is touched: what uses a connection beside pipelines, who assumes a role and what runs with
// it, what is in flight and lies behind in a pipeline, what stands in the network of an endpoint. missed are what could not be seen, in
// words, with the permission that would show it: effects are whole only where it is empty. asks are the queries behind both.
func Radius(s *fact.Snapshot, touched fact.Ref) (effects []plan.Effect, missed []string, asks []fact.Query) {
	switch touched.Kind {
	case fact.KindConnection:
		return connectionRadius(s, touched.ID)
	case fact.KindRole, fact.KindPolicies:
		return roleRadius(s, touched.ID)
	case fact.KindPipeline, fact.KindPipelineState:
		return pipelineRadius(s, touched)
	case fact.KindEndpoint:
		return endpointRadius(s, touched)
	}
	return nil, []string{fmt.Sprintf("what else uses %s: unjam knows no way to look for it", touched.ID)}, nil
}

// NotSeen is a note on what a plan's effects leave out; "" when they are whole.
func NotSeen(missed []string) string {
	if len(missed) == 0 {
		return ""
	}
	return "Not seen: " + strings.Join(missed, "; ") + ". More may notice this plan than it lists."
}

// connectionRadius is what uses a connection beside pipelines, in the Regions asked and those where pipelines are known to use it.
func connectionRadius(s *fact.Snapshot, arn string) (effects []plan.Effect, missed []string, asks []fact.Query) {
	if s.Question().Quick {
		return nil, []string{"what uses the connection beside pipelines: --quick leaves it out"}, nil
	}
	regions := slices.Clone(s.Question().Regions)
	for _, p := range Known(s, arn) {
		if r := p.Ref().Scope.Region; !slices.Contains(regions, r) {
			regions = append(regions, r)
		}
	}
	for _, kind := range fact.UserKinds() {
		var of []fact.Query
		for _, region := range regions {
			if !fact.OffersUsers(kind, region) {
				continue
			}
			q := fact.Query{Scope: fact.Scope{Account: s.Question().Account, Region: region}, Kind: kind}
			if kind == fact.KindGitSync {
				q.ID = arn
			}
			of = append(of, q)
		}
		asks = append(asks, of...)
		missed = append(missed, unseen(s, userWords(kind), of)...)
	}
	if slices.ContainsFunc(connectionRegions(s), func(r string) bool { return !slices.Contains(regions, r) }) {
		missed = append(missed, "what uses the connection in other Regions than "+strings.Join(regions, ", ")+", which were not looked at (no pipeline that was read there uses it)")
	}
	c, _ := fact.Get[fact.Connection](s, fact.ConnectionRef(s.Question().Account, arn))
	for u := range latest[fact.ConnectionUser](s) {
		if u.Connection == arn {
			effects = append(effects, plan.Effect{What: userEffect(u, c.Status == fact.StatusPending), Production: fact.LooksLikeProduction(u.Stack) || appDeploys(u)})
		}
	}
	return effects, missed, asks
}

// appDeploys reports whether a push deploys something that reads as production.
func appDeploys(u fact.ConnectionUser) bool {
	return u.Ref().Kind == fact.KindAppService && u.OnPush && fact.LooksLikeProduction(u.Name)
}

// userWords names a kind of users.
func userWords(kind fact.Kind) string {
	switch kind {
	case fact.KindBuildProject:
		return "CodeBuild projects"
	case fact.KindBuildCredential:
		return "source credentials of CodeBuild"
	case fact.KindGitSync:
		return "stacks that follow a repository by Git sync"
	case fact.KindAppService:
		return "App Runner services"
	case fact.KindProduct:
		return "Service Catalog products"
	}
	return "repositories that CodeGuru Reviewer looks at"
}

// userEffect is what a user of a connection does with it; waits: it is PENDING, so that all of it begins once the handshake is completed.
func userEffect(u fact.ConnectionUser, waits bool) string {
	from, region := u.Repository, u.Ref().Scope.Region
	if from == "" {
		from = "its source"
	}
	if u.Branch != "" {
		from = u.Branch + " of " + from
	}
	then := ""
	if waits {
		then = " from then on"
	}
	push := func(what string) string {
		if !u.OnPush {
			return ""
		}
		return ", and pushes " + what
	}
	switch u.Ref().Kind {
	case fact.KindBuildProject:
		return fmt.Sprintf("CodeBuild project %s (%s) fetches %s over it%s%s", u.Name, region, from, then, push("start it"))
	case fact.KindBuildCredential:
		return fmt.Sprintf("every CodeBuild project in %s with a %s source and no credential of its own fetches over it%s", region, u.Name, then)
	case fact.KindGitSync:
		if u.Stack == "" {
			return fmt.Sprintf("the repository link to %s (%s) works%s; no stack was seen that follows it", from, region, then)
		}
		return fmt.Sprintf("stack %s (%s) follows %s by Git sync%s: pushes update it", u.Stack, region, from, then)
	case fact.KindAppService:
		return fmt.Sprintf("App Runner service %s (%s) fetches %s over it%s%s", u.Name, region, from, then, push("deploy it"))
	case fact.KindProduct:
		return fmt.Sprintf("Service Catalog product %s (%s) takes new versions from %s%s", u.Name, region, from, then)
	}
	return fmt.Sprintf("CodeGuru Reviewer (%s) reviews the pull requests of %s%s", region, from, then)
}

// roleRadius is who may assume a role and what was read that runs with it.
func roleRadius(s *fact.Snapshot, arn string) (effects []plan.Effect, missed []string, asks []fact.Query) {
	account := fact.Scope{Account: s.Question().Account}
	name := arn
	if a, err := fact.ParseARN(arn); err == nil {
		name = a.Name()
	}
	policies := fact.Query{Scope: account, Kind: fact.KindPolicies, ID: arn}
	asks = []fact.Query{policies}
	if r, ok := fact.Get[fact.RolePolicies](s, fact.Ref{Scope: account, Kind: fact.KindPolicies, ID: arn}); ok {
		trusted, err := fact.Trusted(r.Trust)
		if err != nil {
			missed = append(missed, "who may assume "+name+": its trust policy cannot be read")
		}
		for _, who := range trusted {
			effects = append(effects, plan.Effect{What: fmt.Sprintf("%s may assume %s", trustee(who), name)})
		}
	} else {
		missed = append(missed, unseen(s, "who may assume "+name, asks)...)
	}
	for p := range latest[fact.Pipeline](s) {
		effects = append(effects, runsWith(p, arn, name)...)
	}
	for p := range latest[fact.Project](s) {
		if p.Role == arn {
			effects = append(effects, plan.Effect{What: fmt.Sprintf("CodeBuild project %s (%s) runs with %s", p.Name, p.Ref().Scope.Region, name)})
		}
	}
	for u := range latest[fact.ConnectionUser](s) {
		switch {
		case u.Role != arn:
		case u.Ref().Kind == fact.KindBuildProject:
			effects = append(effects, plan.Effect{What: fmt.Sprintf("CodeBuild project %s (%s) runs with %s", u.Name, u.Ref().Scope.Region, name)})
		case u.Stack != "":
			effects = append(effects, plan.Effect{What: fmt.Sprintf("Git sync of stack %s (%s) runs with %s", u.Stack, u.Ref().Scope.Region, name)})
		}
	}
	return once(effects), append(missed, "what else runs with "+name+": only pipelines and build projects that this diagnosis read are listed"), asks
}

// trustee names a principal of a trust policy for people.
func trustee(who string) string {
	if a, err := fact.ParseARN(who); err == nil && a.Resource == "root" {
		who = a.Account
	}
	switch {
	case who == "*":
		return "anybody"
	case strings.Trim(who, "0123456789") == "": // an account by its number
		return "whoever account " + who + " lets"
	}
	return who
}

// runsWith are a pipeline and its actions that run with a role.
func runsWith(p fact.Pipeline, arn, name string) []plan.Effect {
	var all []plan.Effect
	region := p.Ref().Scope.Region
	production := slices.ContainsFunc(p.Stages, func(st fact.Stage) bool { return fact.LooksLikeProduction(st.Name) })
	if p.RoleARN == arn {
		all = append(all, plan.Effect{What: fmt.Sprintf("pipeline %s (%s) runs with %s", p.Name, region, name), Production: production})
	}
	for _, st := range p.Stages {
		for _, a := range st.Actions {
			if a.RoleARN == arn {
				all = append(all, plan.Effect{What: fmt.Sprintf("action %s/%s/%s (%s) runs with %s", p.Name, st.Name, a.Name, region, name), Production: fact.LooksLikeProduction(st.Name)})
			}
		}
	}
	return all
}

// pipelineRadius is what a pipeline has in flight, and what lies behind its first stage.
func pipelineRadius(s *fact.Snapshot, touched fact.Ref) (effects []plan.Effect, missed []string, asks []fact.Query) {
	name, scope := touched.ID, touched.Scope
	effects, missed, asks = inFlight(s, touched)
	asks = append([]fact.Query{PipelineQuery(scope, name)}, asks...)
	p, ok := fact.Get[fact.Pipeline](s, fact.PipelineRef(scope, name))
	if !ok {
		return effects, append(missed, unseen(s, "the stages of "+name, asks[:1])...), asks
	}
	for i, st := range p.Stages {
		if i > 0 {
			effects = append(effects, plan.Effect{What: fmt.Sprintf("stage %s of %s lies behind", st.Name, name), Production: fact.LooksLikeProduction(st.Name)})
		}
	}
	return effects, missed, asks
}

// flightAsks are the queries that show what of a pipeline is in flight.
func flightAsks(touched fact.Ref) []fact.Query {
	return []fact.Query{StateQuery(touched.Scope, touched.ID), {Scope: touched.Scope, Kind: fact.KindExecution, ID: touched.ID}}
}

// inFlight is what of a pipeline an update of its definition ends.
func inFlight(s *fact.Snapshot, touched fact.Ref) (effects []plan.Effect, missed []string, asks []fact.Query) {
	name, scope := touched.ID, touched.Scope
	asks = flightAsks(touched)
	flying := map[string]string{} // execution to where it is
	for e := range latest[fact.Execution](s) {
		if e.Pipeline == name && e.Ref().Scope == scope && (e.Status == "InProgress" || e.Status == "Stopping") {
			flying[e.ID] = "between stages"
		}
	}
	state, ok := fact.Get[fact.PipelineState](s, fact.StateRef(scope, name))
	for _, st := range state.Stages {
		if st.Status == "InProgress" && st.Execution != "" {
			flying[st.Execution] = "in stage " + st.Name
		}
	}
	for _, id := range slices.Sorted(maps.Keys(flying)) {
		effects = append(effects, plan.Effect{What: fmt.Sprintf("run %s of %s, now %s, ends: an update of the definition fails what is in flight", id, name, flying[id])})
	}
	if !ok || !s.Answered(asks[1]) {
		missed = unseen(s, "runs of "+name+" in flight", asks)
	}
	return effects, missed, asks
}

// endpointRadius is what was read that stands in the VPC of an endpoint: its calls go that way where private DNS leads them.
func endpointRadius(s *fact.Snapshot, touched fact.Ref) (effects []plan.Effect, missed []string, asks []fact.Query) {
	asks = []fact.Query{{Scope: touched.Scope, Kind: fact.KindEndpoint}}
	e, ok := fact.Get[fact.Endpoint](s, touched)
	if !ok {
		return nil, unseen(s, "the VPC of "+touched.ID, asks), asks
	}
	for p := range latest[fact.Project](s) {
		if p.VPC == e.VPC && p.Ref().Scope == touched.Scope {
			effects = append(effects, plan.Effect{What: fmt.Sprintf("CodeBuild project %s calls %s through it", p.Name, e.Service)})
		}
	}
	for h := range latest[fact.Host](s) {
		if h.VPC == e.VPC && h.Ref().Scope == touched.Scope {
			effects = append(effects, plan.Effect{What: fmt.Sprintf("host %s stands in the same VPC", h.Name)})
		}
	}
	return once(effects), []string{"what else in " + e.VPC + " calls through it: only hosts and build projects that this diagnosis read are listed"}, asks
}

// unseen says what is missing of the answers to queries, once for each reason, with the Regions and the permission that would show it. A
// Region that has no such service is missing nothing.
func unseen(s *fact.Snapshot, what string, asked []fact.Query) []string {
	var reasons []string
	regions := map[string][]string{}
	for _, q := range asked {
		why := "not read"
		if g, lost := s.GapOf(q); lost {
			why = lack(g)
		}
		if s.Answered(q) || why == "" {
			continue
		}
		if !slices.Contains(reasons, why) {
			reasons = append(reasons, why)
		}
		if q.Scope.Region != "" && !slices.Contains(regions[why], q.Scope.Region) {
			regions[why] = append(regions[why], q.Scope.Region)
		}
	}
	var all []string
	for _, why := range reasons {
		in := ""
		if len(regions[why]) > 0 {
			in = " in " + strings.Join(regions[why], ", ")
		}
		all = append(all, what+in+" ("+why+")")
	}
	return all
}

// lack is why a query was not answered: the permission that it lacks, else the kind of failure; "" when there is nothing to be seen.
func lack(g fact.Gap) string {
	switch {
	case g.Class == fact.Unsupported, g.Class == fact.Missing:
		return ""
	case g.Permission != "":
		return g.Permission
	case g.Class == fact.Denied:
		if o, ok := op.Reading(g.Query.Kind); ok && len(o.Actions) > 0 {
			return o.Actions[0]
		}
	}
	switch g.Class {
	case fact.Throttled:
		return "AWS refused it for its rate"
	case fact.Timeout:
		return "no answer in time"
	case fact.Skipped:
		return "left out"
	case fact.Expired:
		return "the credentials ran out"
	}
	return "the call failed"
}

// latest yields the newest observation of every thing of a type.
func latest[T fact.Fact](s *fact.Snapshot) iter.Seq[T] {
	return func(yield func(T) bool) {
		seen := map[fact.Ref]bool{}
		for f := range fact.All[T](s) {
			if seen[f.Ref()] {
				continue
			}
			seen[f.Ref()] = true
			if newest, ok := fact.Get[T](s, f.Ref()); ok && !yield(newest) {
				return
			}
		}
	}
}

// once drops what is said twice.
func once(effects []plan.Effect) []plan.Effect {
	var all []plan.Effect
	for _, e := range effects {
		if !slices.Contains(all, e) {
			all = append(all, e)
		}
	}
	return all
}
