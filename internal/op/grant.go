package op

import (
	"slices"
	"strings"

	"github.com/unjam/unjam/internal/fact"
)

// Need is one thing that somebody lacks the permission for.
type Need struct {
	Action     string // "service:Action"
	Resource   string // ARN; "" stands for "*", for actions that know no resources
	Repository string // narrows the use of a connection to OWNER/NAME; "" does not
	Service    string // whom a passed role is for, "codebuild.amazonaws.com"; "" does not say
}

// LeastPolicy is the least policy that allows what is lacking. Actions of AWS CodeConnections are named under both prefixes and on both
// forms of the ARN, since which one AWS checks follows the caller as well as the ARN; a condition stands in a statement for each
// prefix, because the key of one is absent when the other is checked (docs/aws-facts.md, "Least policies").
func LeastPolicy(needs ...Need) Document {
	d := Document{Version: "2012-10-17"}
	for _, n := range needs {
		for _, st := range n.statements() {
			d.add(st)
		}
	}
	return d
}

// add joins a statement with one that differs in nothing but its actions.
func (d *Document) add(st Statement) {
	for i, have := range d.Statement {
		if len(have.Condition) == 0 && len(st.Condition) == 0 && slices.Equal(have.Resource.([]string), st.Resource.([]string)) {
			for _, a := range st.Action {
				if !slices.Contains(have.Action, a) {
					d.Statement[i].Action = append(d.Statement[i].Action, a)
				}
			}
			return
		}
	}
	d.Statement = append(d.Statement, st)
}

func (n Need) statements() []Statement {
	service, name, _ := strings.Cut(n.Action, ":")
	on := n.Resource
	if on == "" {
		on = "*"
	}
	st := Statement{Effect: "Allow", Action: []string{n.Action}, Resource: []string{on}}
	if service == "codeconnections" || service == "codestar-connections" {
		st.Action, st.Resource = both(name), bothARNs(on)
		if n.Repository == "" {
			return []Statement{st}
		}
		var all []Statement
		for _, action := range st.Action {
			prefix, _, _ := strings.Cut(action, ":")
			one := st
			one.Sid, one.Action = name+sid(prefix), []string{action}
			// IfExists: some of what is done with a connection, such as listing repositories, is about no repository.
			one.Condition = map[string]map[string]string{"StringEqualsIfExists": {prefix + ":FullRepositoryId": n.Repository}}
			all = append(all, one)
		}
		return all
	}
	if n.Action == "iam:PassRole" && n.Service != "" {
		st.Condition = map[string]map[string]string{"StringEquals": {"iam:PassedToService": n.Service}}
	}
	return []Statement{st}
}

// bothARNs are a connection's ARN under both prefixes; anything else stays as it is.
func bothARNs(resource string) []string {
	a, err := fact.ParseARN(resource)
	if err != nil || !a.IsConnection() {
		return []string{resource}
	}
	return []string{strings.Replace(resource, ":"+a.Service+":", ":codeconnections:", 1), strings.Replace(resource, ":"+a.Service+":", ":codestar-connections:", 1)}
}
