package history

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// maxChanges bounds a finding: a pipeline that was written anew differs in everything.
const maxChanges = 40

// reach is how far back changes count when it is not known when the pipeline last worked.
const reach = 30 * 24 * time.Hour

// dated is a change with what its place in the list rests on.
type dated struct {
	fault.Change
	at      time.Time
	between bool // after it last worked and before it first failed
	near    bool // it touches what failed
}

// changes is one list, the likeliest cause first: what changed between the last success and the first failure, then what touches the
// failing part, then the newest.
func (c *past) changes() []fault.Change {
	var all []dated
	all = append(all, c.definitions()...)
	all = append(all, c.events()...)
	all = append(all, c.drifts()...)
	all = append(all, c.declared()...)
	all = distinct(all)
	for i := range all {
		x := &all[i]
		x.between = !x.at.IsZero() && !c.broke.IsZero() && !x.at.After(c.broke) && x.at.After(c.good)
		x.near = c.touches(x.Change)
	}
	slices.SortStableFunc(all, func(a, b dated) int {
		return cmp.Or(last(a.between, b.between), last(a.near, b.near), b.at.Compare(a.at), strings.Compare(a.Field, b.Field))
	})
	var out []fault.Change
	for _, x := range all[:min(len(all), maxChanges)] {
		x.Change.At = fault.Stamp(x.at)
		out = append(out, x.Change)
	}
	return out
}

// last orders true before false.
func last(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// distinct keeps one entry of a change that several sources show: the one that says most.
func distinct(all []dated) []dated {
	var out []dated
	for _, x := range all {
		i := slices.IndexFunc(out, func(y dated) bool {
			return x.What == y.What && x.Field == y.Field && x.After == y.After && (x.Before == y.Before || x.Before == "" || y.Before == "") &&
				(x.at.IsZero() || y.at.IsZero() || x.at.Equal(y.at))
		})
		if i < 0 {
			out = append(out, x)
			continue
		}
		y := &out[i]
		if y.at.IsZero() && !x.at.IsZero() {
			y.at, y.Who, y.With = x.at, x.Who, x.With
		}
		if y.Outside == "" {
			y.Outside = x.Outside
		}
	}
	return out
}

// touches reports whether a change is about the failing action, its stage, its connection or the role.
func (c *past) touches(x fault.Change) bool {
	if x.What.Kind != "pipeline" {
		return true // only events about the role, the connection or the host get here
	}
	for _, f := range c.failed {
		if strings.HasPrefix(x.Field, "stages/"+f.Stage.Name+"/actions/"+f.Action.Name+"/") {
			return true
		}
	}
	return x.Field == "roleArn" || strings.Contains(x.Field, "configuration/ConnectionArn")
}

// noise are paths that change by themselves.
func noise(path string) bool {
	return path == "version" || path == "name" || strings.HasPrefix(path, "metadata/")
}

// written is one version of the definition, from GetPipeline or from the body of the event that wrote it.
type written struct {
	version int
	values  fact.Values
	by      *fact.Event
	source  fact.Source
	class   fault.Class
}

// writings are the known versions, oldest first.
func (c *past) writings() []written {
	by := map[int]*written{}
	for d := range fact.All[fact.Definition](c.s) {
		if d.Pipeline == c.pipeline.Name && d.Ref().Scope == c.scope {
			by[d.Version] = &written{version: d.Version, values: d.Values, source: d.Source(), class: fault.Verified}
		}
	}
	for e := range fact.All[fact.Event](c.s) {
		if e.EventSource != "codepipeline.amazonaws.com" || e.Pipeline != c.pipeline.Name || e.ErrorCode != "" || e.Version == 0 || e.Ref().Scope != c.scope {
			continue
		}
		w := by[e.Version]
		if w == nil {
			values := fact.Values{}
			for p, v := range e.Parameters {
				if rest, ok := strings.CutPrefix(p, "pipeline/"); ok {
					values[rest] = v
				}
			}
			if len(values) == 0 {
				continue // CloudTrail leaves out what is too large
			}
			w = &written{version: e.Version, values: values, source: e.Source(), class: fault.Reported}
			by[e.Version] = w
		}
		w.by = &e
	}
	var all []written
	for _, w := range by {
		all = append(all, *w)
	}
	slices.SortFunc(all, func(a, b written) int { return a.version - b.version })
	return all
}

// definitions are the differences from each known version to the next, from the last good one on.
func (c *past) definitions() []dated {
	all := c.writings()
	var out []dated
	for i := 1; i < len(all); i++ {
		from, to := all[i-1], all[i]
		if c.goodV > 0 && to.version <= c.goodV {
			continue
		}
		for _, d := range fact.Diff(from.values, to.values) {
			if noise(d.Path) {
				continue
			}
			x := dated{Change: fault.Change{What: fault.PipelineSubject(c.pipeline), Field: d.Path, Before: shown(d.Before, d.Added), After: shown(d.After, d.Gone), Class: to.class, Source: to.source}}
			if to.class == fault.Verified && from.class != fault.Verified {
				x.Class = from.class
			}
			if to.by != nil && to.version == from.version+1 {
				x.by(*to.by)
				x.Outside = c.outside(x.With)
			} else {
				x.at = c.captured(d)
			}
			out = append(out, x)
		}
	}
	return out
}

// shown is a side of a difference; a value that was removed or not there yet reads as nothing.
func shown(v fact.Value, none bool) string {
	if none {
		return ""
	}
	return v.String()
}

// by takes who, when and with what from an event.
func (x *dated) by(e fact.Event) {
	x.at, x.Who, x.With = e.Time, e.Who.Label(), e.Tool()
}

// captured is when AWS Config first recorded the new value; the zero time when it did not.
func (c *past) captured(d fact.Difference) time.Time {
	var first time.Time
	for i := range fact.All[fact.ConfigItem](c.s) {
		if i.Type != pipelineType || i.Name != c.pipeline.Name || i.Ref().Scope != c.scope {
			continue
		}
		if v, ok := i.Values["pipeline/"+d.Path]; ok && v == d.After && !d.Gone && (first.IsZero() || i.Captured.Before(first)) {
			first = i.Captured
		}
	}
	return first
}

// events are other writes about what the pipeline rests on, since it last worked: its roles, its connection, the host's network.
func (c *past) events() []dated {
	since := c.good
	if since.IsZero() {
		since = c.s.At().Add(-reach)
	}
	var out []dated
	for e := range fact.All[fact.Event](c.s) {
		if e.ReadOnly || e.ErrorCode != "" || e.Time.Before(since) || e.EventSource == "codepipeline.amazonaws.com" {
			continue
		}
		what, ok := c.about(e)
		if !ok {
			continue
		}
		x := dated{Change: fault.Change{What: what, Field: e.Name, After: gist(e), Class: fault.Reported, Source: e.Source()}}
		x.by(e)
		out = append(out, x)
	}
	return out
}

// about is what an event changed, if the pipeline rests on it.
func (c *past) about(e fact.Event) (fault.Subject, bool) {
	if e.EventSource == "iam.amazonaws.com" {
		for _, role := range c.roles() {
			if a, err := fact.ParseARN(role); err == nil && e.Resource != "" && a.Name() == e.Resource {
				return fault.Subject{Kind: "role", ARN: role, Name: e.Resource, Account: a.Account}, true
			}
		}
		return fault.Subject{}, false
	}
	for _, a := range c.pipeline.Sources {
		if e.Connection == a.Connection && e.Connection != "" {
			return fault.ConnectionSubject(e.Connection, e.ConnectionName), true
		}
		con, ok := fact.Get[fact.Connection](c.s, fact.ConnectionRef(c.s.Question().Account, a.Connection))
		if !ok || con.HostARN == "" {
			continue
		}
		for h := range fact.All[fact.Host](c.s) {
			if h.ARN == con.HostARN && (e.Host == h.ARN || c.inNetwork(e, h)) {
				x, _ := fact.ParseARN(h.ARN)
				return fault.Subject{Kind: "host", ARN: h.ARN, Name: h.Name, Account: x.Account, Region: x.Region}, true
			}
		}
	}
	return fault.Subject{}, false
}

// inNetwork reports whether an event names a part of a host's network.
func (c *past) inNetwork(e fact.Event, h fact.Host) bool {
	if e.EventSource != "ec2.amazonaws.com" || h.VPC == "" {
		return false
	}
	names := append([]string{h.VPC}, append(slices.Clone(h.Subnets), h.Groups...)...)
	for a := range fact.All[fact.NetworkACL](c.s) {
		if a.VPC == h.VPC {
			names = append(names, a.ID)
		}
	}
	for t := range fact.All[fact.RouteTable](c.s) {
		if t.VPC == h.VPC {
			names = append(names, t.ID)
		}
	}
	for _, v := range e.Parameters {
		if v.Text != "" && slices.Contains(names, v.Text) {
			return true
		}
	}
	return false
}

// roles are the roles that the pipeline runs as.
func (c *past) roles() []string {
	all := []string{c.pipeline.RoleARN}
	for _, st := range c.pipeline.Stages {
		for _, a := range st.Actions {
			if a.RoleARN != "" && !slices.Contains(all, a.RoleARN) {
				all = append(all, a.RoleARN)
			}
		}
	}
	for p := range fact.All[fact.Project](c.s) {
		if !slices.Contains(all, p.Role) {
			all = append(all, p.Role)
		}
	}
	return all
}

// gist is what an event says it did, in a few words.
func gist(e fact.Event) string {
	var parts []string
	for _, path := range e.Parameters.Paths() {
		key := path[strings.LastIndexByte(path, '/')+1:]
		switch key {
		case "policyName", "policyArn", "permissionsBoundary", "connectionName", "hostArn", "groupId", "networkAclId", "ruleNumber", "ruleAction", "routeTableId", "destinationCidrBlock", "dhcpOptionsId", "vpcId":
			parts = append(parts, key+" "+e.Parameters[path].String())
		}
	}
	return strings.Join(parts, ", ")
}

// drifts are what the last drift detection of the owning stack found about the pipeline.
func (c *past) drifts() []dated {
	var out []dated
	for d := range fact.All[fact.Drift](c.s) {
		if d.Type != pipelineType || d.Physical != c.pipeline.Name || d.Ref().Scope != c.scope {
			continue
		}
		for _, p := range d.Differences {
			field := c.named(p.Path)
			out = append(out, dated{Change: fault.Change{What: fault.PipelineSubject(c.pipeline), Field: field, Before: p.Expected.String(), After: p.Actual.String(),
				Outside: c.owner, Class: fault.Verified, Source: d.Source()}})
		}
	}
	return out
}

// named turns CloudFormation's path by places (/Stages/0/Actions/0/Configuration/BranchName) into the definition's by names.
func (c *past) named(path string) string {
	p := strings.Split(strings.Trim(path, "/"), "/")
	var st, ac int
	if len(p) >= 5 && p[0] == "Stages" && p[2] == "Actions" {
		if _, err := fmt.Sscanf(p[1]+" "+p[3], "%d %d", &st, &ac); err == nil && st < len(c.pipeline.Stages) && ac < len(c.pipeline.Stages[st].Actions) {
			stage := c.pipeline.Stages[st]
			rest := p[4:]
			rest[0] = strings.ToLower(rest[0][:1]) + rest[0][1:]
			return "stages/" + stage.Name + "/actions/" + stage.Actions[ac].Name + "/" + strings.Join(rest, "/")
		}
	}
	return strings.Join(p, "/")
}

// declared are the differences between what Terraform declares and what is live.
func (c *past) declared() []dated {
	var live fact.Values
	var source fact.Source
	for d := range fact.All[fact.Definition](c.s) {
		if d.Pipeline == c.pipeline.Name && d.Version == c.pipeline.Version && d.Ref().Scope == c.scope {
			live, source = d.Values, d.Source()
		}
	}
	var out []dated
	for d := range fact.All[fact.Declared](c.s) {
		if d.Address != c.owner || live == nil {
			continue
		}
		for path, v := range d.Values {
			field, ok := terraformPath(path)
			now, there := live[field]
			if !ok || (there && now == v) || (!there && v.Text == "") {
				continue
			}
			out = append(out, dated{Change: fault.Change{What: fault.PipelineSubject(c.pipeline), Field: field, Before: v.String(), After: now.String(), Outside: d.Address,
				Class: fault.Verified, Source: source}})
		}
	}
	slices.SortFunc(out, func(a, b dated) int { return strings.Compare(a.Field, b.Field) })
	return out
}

// terraformPath is the path of an argument of aws_codepipeline in the definition; false for what is not compared.
func terraformPath(path string) (string, bool) {
	if path == "role_arn" {
		return "roleArn", true
	}
	p := strings.Split(path, "/")
	if len(p) == 6 && p[0] == "stage" && p[2] == "action" && p[4] == "configuration" {
		return "stages/" + p[1] + "/actions/" + p[3] + "/configuration/" + p[5], true
	}
	return "", false
}
