package connectionpending

import (
	"slices"
	"strings"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/op"
)

// maxSSORoles is how many IAM Identity Center roles are simulated: enough to name somebody, few enough to stay quick.
const maxSSORoles = 5

// ssoPath is where IAM Identity Center keeps its roles.
const ssoPath = "/aws-reserved/sso.amazonaws.com/"

// access says who may complete the handshake: the caller, the creator, those the user named and a few IAM Identity Center roles.
// It is a simulation.
func access(s *fact.Snapshot, c fact.Connection, t trail) ([]fault.WhoCan, []fact.Query) {
	a, err := fact.ParseARN(c.ARN)
	if err != nil || a.Account != s.Question().Account {
		return nil, nil // another account's policies cannot be simulated from here
	}
	account := s.Question().Account
	roles := fact.Query{Scope: fact.Scope{Account: account}, Kind: fact.KindRole, ID: ssoPath}
	asks := []fact.Query{roles}
	var who []fault.WhoCan
	for _, principal := range people(s, t) {
		q := SimulationQuery(account, principal, c.ARN)
		asks = append(asks, q)
		sim, ok := simulation(s, principal, c.ARN)
		if !ok {
			continue
		}
		w := fault.WhoCan{ARN: principal, Class: fault.Simulated}
		w.Lacks, w.By = lacks(sim, a, c.ARN)
		w.Allowed = len(w.Lacks) == 0
		who = append(who, w)
	}
	slices.SortStableFunc(who, func(x, y fault.WhoCan) int {
		if x.Allowed == y.Allowed {
			return 0
		}
		if x.Allowed {
			return -1
		}
		return 1
	})
	return who, asks
}

// people are the principals worth simulating, in the form the simulator takes, without doubles.
func people(s *fact.Snapshot, t trail) []string {
	var all []string
	add := func(arn string) {
		a, err := fact.ParseARN(arn)
		if err != nil || a.Service != "iam" || a.Account != s.Question().Account || slices.Contains(all, arn) ||
			!(strings.HasPrefix(a.Resource, "role/") || strings.HasPrefix(a.Resource, "user/")) {
			return
		}
		all = append(all, arn)
	}
	byName := map[string]string{} // role name to ARN with its path
	var sso []string
	for r := range fact.All[fact.Role](s) {
		byName[r.Name] = r.ARN
		if r.PermissionSet() != "" {
			sso = append(sso, r.ARN)
		}
	}
	pathed := func(arn string) string {
		if a, err := fact.ParseARN(arn); err == nil {
			if full := byName[a.Name()]; full != "" && strings.HasPrefix(a.Resource, "role/") {
				return full
			}
			if fact.PermissionSet(a.Name()) != "" && !strings.Contains(a.Resource, ssoPath[1:]) {
				return "" // its path is not known yet
			}
		}
		return arn
	}
	for i := range fact.All[fact.Identity](s) {
		add(pathed(i.RoleARN()))
	}
	if t.created != nil {
		add(pathed(t.created.Who.Policied()))
	}
	if t.denied != nil {
		add(pathed(t.denied.Who.Policied()))
	}
	for _, p := range s.Question().Principals {
		add(pathed(fact.RoleARN(p)))
	}
	slices.SortFunc(sso, func(x, y string) int {
		if d := adminFirst(x) - adminFirst(y); d != 0 {
			return d
		}
		return strings.Compare(x, y)
	})
	for _, r := range sso[:min(len(sso), maxSSORoles)] {
		add(r)
	}
	return all
}

// adminFirst orders permission sets by how likely they hold the rights.
func adminFirst(arn string) int {
	n := strings.ToLower(arn)
	switch {
	case strings.Contains(n, "admin"):
		return 0
	case strings.Contains(n, "power"), strings.Contains(n, "platform"):
		return 1
	}
	return 2
}

// SimulationQuery asks whether a principal could complete the handshake of a connection: the handshake's actions under both
// prefixes, on "*" and on the connection, in one call.
func SimulationQuery(account, principal, connectionARN string) fact.Query {
	var actions []string
	for _, a := range op.Handshake() {
		actions = append(actions, "codeconnections:"+a, "codestar-connections:"+a)
	}
	return fact.Query{Scope: fact.Scope{Account: account}, Kind: fact.KindSimulation, ID: principal,
		Args: map[string]string{"actions": strings.Join(actions, ","), "resources": "*," + connectionARN}}
}

func simulation(s *fact.Snapshot, principal, connectionARN string) (fact.Simulation, bool) {
	for sim := range fact.All[fact.Simulation](s) {
		if sim.Principal == principal {
			if _, ok := sim.Decision("codeconnections:UpdateConnectionInstallation", connectionARN); ok {
				return sim, true
			}
		}
	}
	return fact.Simulation{}, false
}

// lacks are the actions the simulator says no to, under the prefix that the ARN carries: that is the one AWS checks.
func lacks(sim fact.Simulation, a fact.ARN, connectionARN string) (missing []string, by string) {
	for _, name := range op.Handshake() {
		resource := "*"
		if name == "UpdateConnectionInstallation" {
			resource = connectionARN
		}
		d, ok := sim.Decision(a.Service+":"+name, resource)
		if ok && d.Allowed {
			continue
		}
		missing = append(missing, a.Service+":"+name)
		if by == "" && d.By != "" {
			by = d.By
		}
	}
	return missing, by
}

// grant is the least policy for the person who was refused, where a policy of their role or user can mend it.
func grant(s *fact.Snapshot, c fact.Connection, cause string, t trail) (*fault.Grant, fact.Query, bool) {
	if cause != handshakeDenied || t.denied == nil {
		return nil, fact.Query{}, false
	}
	d, _ := fact.ParseDenial(t.denied.Error)
	if d.Explicit || (d.By != "" && d.By != "identity-based policy") {
		return nil, fact.Query{}, false // a Deny, a boundary or the organisation: no Allow outweighs it
	}
	a, err := fact.ParseARN(c.ARN)
	if err != nil {
		return nil, fact.Query{}, false
	}
	text := op.HandshakePolicy(c.Provider, c.ARN)
	q := fact.Query{Scope: fact.Scope{Account: s.Question().Account, Region: a.Region}, Kind: fact.KindPolicyCheck, ID: string(fact.DigestOf(text))[7:23], Args: map[string]string{"document": text}}
	return &fault.Grant{To: t.denied.Who.Policied(), Document: []byte(text), Class: fault.Inferred, Checked: fault.Checked(s, []fact.Query{q})}, q, true
}
