package history

import (
	"cmp"
	"slices"
	"strconv"
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
	version int  // of the definition that it made; 0 when it is no change of the definition
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
		x.between = c.inBetween(*x)
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

// inBetween reports whether a change lies after the last success and before the first failure: by its time or, where nobody recorded
// that, by the version that it made.
func (c *past) inBetween(x dated) bool {
	if x.at.IsZero() {
		return c.goodV > 0 && x.version > c.goodV && x.version <= c.badV
	}
	return !c.broke.IsZero() && !x.at.After(c.broke) && x.at.After(c.good)
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

// captured is when AWS Config first recorded the new value; the zero time when it did not.
func (c *past) captured(d fact.Difference) time.Time {
	var first time.Time
	for i := range fact.All[fact.ConfigItem](c.s) {
		if v, ok := i.Values["pipeline/"+d.Path]; ok && c.recorded(i) && v == d.After && !d.Gone && (first.IsZero() || i.Captured.Before(first)) {
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
		if e.ReadOnly || e.ErrorCode != "" || e.Time.Before(since) {
			continue
		}
		what, ok := c.about(e)
		if !ok {
			continue
		}
		x := dated{Change: fault.Change{What: what, Field: e.Name, After: gist(e), Class: fault.Reported, Source: e.Source()}}
		x.by(e)
		x.Outside = c.owner(what).past(x.With)
		out = append(out, x)
	}
	return out
}

// about is what an event changed, if the pipeline rests on it. Of the pipeline itself only its creation counts: what else was written
// shows in its definitions.
func (c *past) about(e fact.Event) (fault.Subject, bool) {
	if e.EventSource == "codepipeline.amazonaws.com" {
		return fault.PipelineSubject(c.pipeline), e.Name == "CreatePipeline" && e.Pipeline == c.pipeline.Name && e.Ref().Scope == c.scope
	}
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
	if e.Version > 0 {
		parts = append(parts, "version "+strconv.Itoa(e.Version))
	}
	return strings.Join(parts, ", ")
}
