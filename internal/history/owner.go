package history

import (
	"fmt"
	"slices"
	"strings"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// owner is what a resource was made by and belongs to; the zero owner when nothing is known to own it.
type owner struct {
	name  string // "stack NAME" or a Terraform address
	tool  string // cloudformation or terraform
	stack string // name of the stack
}

// past is the owner's name when a tool went past it; "" when the owner made the change or nobody knows.
func (o owner) past(tool string) string {
	if o.name == "" || tool == "" || tool == o.tool {
		return ""
	}
	return o.name
}

// owner finds what owns a resource: a Terraform file that the user gave goes before a stack.
func (c *past) owner(x fault.Subject) owner {
	for d := range fact.All[fact.Declared](c.s) {
		if declares(d, x) {
			return owner{name: d.Address, tool: "terraform"}
		}
	}
	for r := range fact.All[fact.StackResource](c.s) {
		if r.Ref().Scope == c.scope && r.Physical != "" && (r.Physical == x.ARN || (r.Physical == x.Name && stackType(x.Kind) == r.Type)) {
			return owner{name: "stack " + r.Stack, tool: "cloudformation", stack: r.Stack}
		}
	}
	return owner{}
}

// declares reports whether a resource of Terraform is a subject: by its ARN or, for a pipeline planned but not made by Terraform yet, by
// its name.
func declares(d fact.Declared, x fault.Subject) bool {
	if d.ARN != "" {
		return d.ARN == x.ARN
	}
	return d.Type == "aws_codepipeline" && x.Kind == "pipeline" && d.Name == x.Name
}

// stackType is the type of resources whose physical ID is a name.
func stackType(kind string) string {
	switch kind {
	case "pipeline":
		return pipelineType
	case "role":
		return "AWS::IAM::Role"
	}
	return ""
}

// drifts are what the last drift detection of the owning stack found about the pipeline.
func (c *past) drifts() []dated {
	var out []dated
	for d := range fact.All[fact.Drift](c.s) {
		if d.Type != pipelineType || d.Physical != c.pipeline.Name || d.Ref().Scope != c.scope {
			continue
		}
		for _, p := range d.Differences {
			out = append(out, dated{Change: fault.Change{What: fault.PipelineSubject(c.pipeline), Field: c.named(p.Path), Before: p.Expected.String(), After: p.Actual.String(),
				Outside: "stack " + d.Stack, Class: fault.Verified, Source: d.Source()}})
		}
	}
	return out
}

// named turns CloudFormation's path by places (/Stages/0/Actions/0/Configuration/BranchName) into the definition's by names. The members
// of a configuration are spelt the same in both; all others begin with a small letter in the definition.
func (c *past) named(path string) string {
	p := strings.Split(strings.Trim(path, "/"), "/")
	for i := range p {
		if p[i] != "" && (i == 0 || p[i-1] != "configuration") {
			p[i] = strings.ToLower(p[i][:1]) + p[i][1:]
		}
	}
	var st, ac int
	if len(p) >= 5 && p[0] == "stages" && p[2] == "actions" {
		if _, err := fmt.Sscanf(p[1]+" "+p[3], "%d %d", &st, &ac); err == nil && st >= 0 && ac >= 0 && st < len(c.pipeline.Stages) && ac < len(c.pipeline.Stages[st].Actions) {
			p[1], p[3] = c.pipeline.Stages[st].Name, c.pipeline.Stages[st].Actions[ac].Name
		}
	}
	return strings.Join(p, "/")
}

// declared are the differences between what Terraform declares and what is live, and what a plan found changed outside Terraform.
func (c *past) declared() []dated {
	about := fault.PipelineSubject(c.pipeline)
	live, source, read := c.live()
	var out []dated
	add := func(d fact.Declared, field string, before, after fact.Value, class fault.Class, src fact.Source) {
		out = append(out, dated{Change: fault.Change{What: about, Field: field, Before: before.String(), After: after.String(), Outside: d.Address, Class: class, Source: src}})
	}
	for d := range fact.All[fact.Declared](c.s) {
		if !declares(d, about) {
			continue
		}
		for _, path := range d.Values.Paths() {
			want := d.Values[path]
			field, ok := terraformPath(path)
			if now := live[field]; ok && read && now != want && want != (fact.Value{}) {
				add(d, field, want, now, fault.Verified, source)
			}
		}
		for _, x := range d.Drifted {
			if field, ok := terraformPath(x.Path); ok {
				add(d, field, x.Before, x.After, fault.Reported, d.Source())
			}
		}
	}
	slices.SortStableFunc(out, func(a, b dated) int { return strings.Compare(a.Field, b.Field) })
	return out
}

// live is the definition of now, when it was read.
func (c *past) live() (fact.Values, fact.Source, bool) {
	for d := range fact.All[fact.Definition](c.s) {
		if d.Pipeline == c.pipeline.Name && d.Version == c.pipeline.Version && d.Ref().Scope == c.scope {
			return d.Values, d.Source(), true
		}
	}
	return nil, fact.Source{}, false
}

// terraformPath is the path of an argument of aws_codepipeline in the definition; false for what is not compared.
func terraformPath(path string) (string, bool) {
	if path == "role_arn" {
		return "roleArn", true
	}
	p := strings.Split(path, "/")
	if len(p) >= 6 && p[0] == "stage" && p[2] == "action" && p[4] == "configuration" {
		return "stages/" + p[1] + "/actions/" + p[3] + "/" + strings.Join(p[4:], "/"), true
	}
	return "", false
}
