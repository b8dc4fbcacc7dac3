package transitiondisabled

import (
	"strings"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// disabling is who closed a gate and with what, as far as it can be told.
type disabling struct {
	who      string      // for people
	tool     string      // "CloudFormation", "Terraform" ...; "" for a person, or nobody knows
	how      string      // why it is taken for a tool
	class    fault.Class // of that
	evidence []fault.Evidence
	ask      fact.Query // the events that tell more
}

// readDisabling reads who closed a gate from its state and, where the trail was read, from the event of it.
func readDisabling(s *fact.Snapshot, g fault.Gate) disabling {
	d := disabling{who: label(g.State.DisabledBy), ask: fact.Query{Scope: g.Pipeline.Ref().Scope, Kind: fact.KindEvent, ID: "DisableStageTransition"}}
	if e, ok := event(s, g); ok {
		d.who = e.Who.Label()
		x := fault.Ev(fault.Reported, e, e.Name, d.who, "")
		x.Text = strings.TrimSpace(fault.Stamp(e.Time) + " " + e.Tool())
		d.evidence = append(d.evidence, x)
		if name := toolName(e.Tool()); name != "" {
			d.tool, d.how, d.class = name, "CloudTrail shows its call", fault.Reported
			return d
		}
		if e.Tool() == "console" {
			return d // a person at the console, whatever the names say
		}
	}
	a, _ := fact.ParseARN(g.State.DisabledBy)
	if name := toolName(a.Resource); name != "" {
		d.tool, d.how, d.class = name, "the session is named so: "+g.State.DisabledBy, fault.Inferred
	} else if name := toolName(g.State.DisabledReason); name != "" {
		d.tool, d.how, d.class = name, "the reason names it", fault.Inferred
	}
	return d
}

// event is the newest event that closed the gate, at most a minute from the time that the state shows.
func event(s *fact.Snapshot, g fault.Gate) (found fact.Event, ok bool) {
	for e := range fact.All[fact.Event](s) {
		if e.Name != "DisableStageTransition" || e.ErrorCode != "" || e.Pipeline != g.Pipeline.Name || e.Region != g.Pipeline.Ref().Scope.Region {
			continue
		}
		if stage := e.Parameters.Text("stageName"); stage != "" && stage != g.Stage() {
			continue // by the way out of the stage before: told by the time alone
		}
		if off := e.Time.Sub(g.State.DisabledAt).Abs(); off <= time.Minute && e.Time.After(found.Time) {
			found, ok = e, true
		}
	}
	return found, ok
}

// toolName is the tool that a name, a reason or a user agent's tool speaks of; "" when none.
func toolName(text string) string {
	t := strings.ToLower(text)
	for _, x := range []struct{ word, name string }{
		{"cloudformation", "CloudFormation"}, {"terraform", "Terraform"}, {"opentofu", "OpenTofu"}, {"pulumi", "Pulumi"}, {"aws-cdk", "the CDK"},
		{"cdk-hnb", "the CDK"}, {"jenkins", "Jenkins"}, {"github-actions", "GitHub Actions"}, {"githubactions", "GitHub Actions"}, {"gitlab-ci", "GitLab CI"},
	} {
		if strings.Contains(t, x.word) {
			return x.name
		}
	}
	return ""
}

// label names a principal for people: ROLE/SESSION, a user's name, or the ARN.
func label(arn string) string {
	a, err := fact.ParseARN(arn)
	switch {
	case arn == "":
		return "somebody"
	case err != nil:
		return arn
	case a.Resource == "root":
		return "the root user"
	}
	kind, name, _ := strings.Cut(a.Resource, "/")
	if role, session, ok := strings.Cut(name, "/"); ok && kind == "assumed-role" {
		if set := fact.PermissionSet(role); set != "" {
			return session + " (" + set + ")"
		}
		return role + "/" + session
	}
	return name
}

// ours reports whether unjam closed the gate itself: by --hold, or as it rolled a run back.
func ours(reason string) bool {
	return strings.HasPrefix(reason, "held by unjam") || strings.HasPrefix(reason, "put back by unjam")
}

func heldText(g fault.Gate) string {
	if strings.HasPrefix(g.State.DisabledReason, "put back") {
		return "A run of unjam was rolled back, which closed the stage as it had been before; CloudTrail tells who had closed it first, and why."
	}
	return "unjam closed it (--hold), so that somebody looks before the run goes on."
}
