// Package artifactdenied finds failed actions to which S3 or KMS refused an artifact: whose policy says no, to which role, and the least that would
// mend it. It takes over from access-denied what concerns artifact stores, and never says anything of buckets that are not there: artifact-bucket-missing does.
package artifactdenied

import (
	"fmt"
	"strings"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/op"
)

// diagnose looks at failed actions whose text names an artifact bucket, and at those in other Regions of which AWS says nothing.
func diagnose(s *fact.Snapshot) fault.Judgement {
	pipelines, needs := fault.Subjects(s)
	j := fault.Judgement{Needs: needs}
	for _, p := range pipelines {
		all, state := fault.Artifacts(s, p)
		j.Need(state)
		for _, x := range all {
			if x.Store.Bucket == "" {
				continue // artifact-bucket-missing
			}
			r := read(s, x)
			if x.Said {
				j.Help(r.asks...)
			} else {
				j.Need(r.asks...) // AWS's text says nothing: only the policies can
			}
			if !x.Said && r.cause.Code == unknownCause {
				j.Withhold(s, x.Name(), r.asks)
				continue
			}
			f, helps := r.finding(s)
			j.Help(helps...)
			j.Findings = append(j.Findings, f)
			break // one of a pipeline: what it waits for comes first
		}
	}
	return j
}

// refusal is one refused artifact with all that was read about who may have it.
type refusal struct {
	fault.Artifact
	cause    fault.Cause
	role     string // that is refused
	lacks    []op.Need
	evidence []fault.Evidence
	asks     []fact.Query
}

// user is a role with what it has to be allowed.
type user struct {
	role  string
	needs []op.Need
}

// users are the roles that handle the artifact: of another Region first the pipeline's, which copies it there, then the action's own.
func (r *refusal) users() []user {
	bucket := fact.BucketARN("aws", r.Store.Bucket)
	if a, err := fact.ParseARN(r.Pipeline.ARN); err == nil {
		bucket = fact.BucketARN(a.Partition, r.Store.Bucket)
	}
	objects := bucket + "/*"
	need := func(resource string, names ...string) []op.Need {
		var all []op.Need
		for _, n := range names {
			all = append(all, op.Need{Action: n, Resource: resource})
		}
		return all
	}
	whole := append(need(objects, "s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"), need(bucket, "s3:GetBucketLocation", "s3:GetBucketVersioning")...)
	own := r.Role()
	if _, named := fault.RefusedBucket(r.State.Error); named != "" {
		return []user{{named, whole}}
	}
	switch {
	case own == r.Pipeline.RoleARN:
		return []user{{own, whole}}
	case r.Far:
		return []user{{r.Pipeline.RoleARN, whole}, {own, need(objects, "s3:GetObject", "s3:GetObjectVersion")}}
	}
	return []user{{own, need(objects, "s3:GetObject", "s3:GetObjectVersion")}}
}

// read reads and judges everything that can refuse the artifact.
func read(s *fact.Snapshot, x fault.Artifact) *refusal {
	r := &refusal{Artifact: x, role: x.Role(), cause: fault.Cause{Code: unknownCause, Class: fault.Unclear}}
	r.cause.Text = "AWS's text does not say which policy, and none that can be read says no: it was granted since, or something that cannot be seen refuses (resource control policies, VPC endpoint policies, conditions)."
	key := r.key(s)
	document, known := r.policy(s)
	for _, u := range r.users() {
		needs := u.needs
		if key != "" {
			for _, n := range []string{"kms:Decrypt", "kms:GenerateDataKey"} {
				if n == "kms:Decrypt" || u.role == r.Pipeline.RoleARN {
					needs = append(needs, op.Need{Action: n, Resource: key})
				}
			}
		}
		r.simulate(s, u.role, needs)
		if known {
			r.judge("bucket "+r.Store.Bucket, bucketPolicy, document, u.role, needs, "s3:")
		}
		if k, ok := r.keyDocument(s, key); ok {
			r.judge("key "+key, keyPolicy, k, u.role, needs, "kms:")
		}
	}
	return r
}

func (r *refusal) scope() fact.Scope {
	return fact.Scope{Account: r.Pipeline.Ref().Scope.Account, Region: r.Region}
}

// key is the ARN of the key that the artifact is encrypted with: the store's, or the bucket's own; "" when there is none or it is not known.
func (r *refusal) key(s *fact.Snapshot) string {
	name := r.Store.Key
	if name == "" {
		q := fact.Query{Scope: r.scope(), Kind: fact.KindBucketEncryption, ID: r.Store.Bucket}
		r.asks = append(r.asks, q)
		x, _ := fact.Get[fact.BucketEncryption](s, fact.BucketRef(q.Scope, q.Kind, q.ID))
		name = x.Key
	}
	if a, err := fact.ParseARN(name); name == "" || err == nil && a.Region != r.Region {
		return ""
	}
	q := fact.Query{Scope: r.scope(), Kind: fact.KindKey, ID: name}
	r.asks = append(r.asks, q)
	k, _ := fact.Get[fact.Key](s, fact.KeyRef(q.Scope, q.Kind, q.ID))
	return k.ARN
}

// keyDocument is the policy of the key.
func (r *refusal) keyDocument(s *fact.Snapshot, key string) (fact.KeyPolicy, bool) {
	if key == "" {
		return fact.KeyPolicy{}, false
	}
	q := fact.Query{Scope: r.scope(), Kind: fact.KindKeyPolicy, ID: key}
	r.asks = append(r.asks, q)
	return fact.Get[fact.KeyPolicy](s, fact.KeyRef(q.Scope, q.Kind, q.ID))
}

// policy is the policy of the bucket; an empty one when AWS says that it has none.
func (r *refusal) policy(s *fact.Snapshot) (fact.Fact, bool) {
	q := fact.Query{Scope: r.scope(), Kind: fact.KindBucketPolicy, ID: r.Store.Bucket}
	r.asks = append(r.asks, q)
	ref := fact.BucketRef(q.Scope, q.Kind, q.ID)
	if a, none := s.Absence(ref); none {
		return a, true
	}
	return fact.Get[fact.BucketPolicy](s, ref)
}

// decide takes a cause if none is decided yet: the first that says no for sure counts.
func (r *refusal) decide(code string, class fault.Class, role, text string) {
	if r.cause.Code == unknownCause {
		r.cause, r.role = fault.Cause{Code: code, Class: class, Text: text}, role
	}
}

// simulate asks the simulator whether a role may do what it needs; roles of other accounts cannot be simulated from here.
func (r *refusal) simulate(s *fact.Snapshot, role string, needs []op.Need) {
	a, err := fact.ParseARN(role)
	if err != nil || a.Account != s.Question().Account {
		return
	}
	by := map[string][]string{}
	var order []string
	for _, n := range needs {
		if by[n.Resource] == nil {
			order = append(order, n.Resource)
		}
		by[n.Resource] = append(by[n.Resource], n.Action)
	}
	for _, resource := range order {
		q := fact.Query{Scope: fact.Scope{Account: a.Account}, Kind: fact.KindSimulation, ID: role, Args: map[string]string{"actions": strings.Join(by[resource], ","), "resources": resource}}
		r.asks = append(r.asks, q)
	}
	for _, n := range needs {
		for x := range fact.All[fact.Simulation](s) {
			d, ok := x.Decision(n.Action, n.Resource)
			if x.Principal != role || !ok {
				continue
			}
			if !d.Allowed {
				r.evidence = append(r.evidence, fault.Ev(fault.Simulated, x, n.Action+" on "+n.Resource, "denied by "+orPolicy(d.By), "allowed"))
				r.decide(byType(d.By, d.Explicit), fault.Simulated, role, fmt.Sprintf("AWS's text does not say which policy; the simulator says that %s may not %s: %s.",
					nameOf(role), n.Action, fact.Denial{By: orPolicy(d.By), Explicit: d.Explicit}.Words()))
				if r.role == role && r.cause.Code == noIdentity {
					r.lacks = append(r.lacks, n)
				}
			}
			break
		}
	}
}

// judge looks for the statement of a resource's own policy that decides, conditions aside: a Deny under a condition is told and decides nothing.
// A key's policy has to allow whoever asks, by name or by account; a bucket's has to only for roles of other accounts.
func (r *refusal) judge(what, code string, document fact.Fact, role string, needs []op.Need, service string) {
	text := ""
	switch x := document.(type) {
	case fact.BucketPolicy:
		text = x.Document
	case fact.KeyPolicy:
		text = x.Document
	}
	var statements []fact.Statement
	if text != "" {
		var err error
		if statements, err = fact.Statements(text); err != nil {
			r.evidence = append(r.evidence, fault.Ev(fault.Verified, document, "policy of "+what, "cannot be read as a policy", ""))
			return
		}
	}
	a, err := fact.ParseARN(role)
	foreign := err == nil && a.Account != r.Pipeline.Ref().Scope.Account
	for _, n := range needs {
		if !strings.HasPrefix(n.Action, service) {
			continue
		}
		allowed := code == bucketPolicy && !foreign
		for i, st := range statements {
			if !st.Covers(n.Action, n.Resource) || !st.About(role) {
				continue
			}
			name := fmt.Sprintf("statement %d", i+1)
			if st.Sid != "" {
				name = "statement " + st.Sid
			}
			switch {
			case st.Allow:
				allowed = true
			case len(st.Keys) > 0:
				r.tell(document, "policy of "+what, fmt.Sprintf("%s denies %s under a condition on %s", name, n.Action, strings.Join(st.Keys, ", ")))
			default:
				r.tell(document, "policy of "+what, name+" denies "+n.Action)
				r.decide(code, fault.Inferred, role, fmt.Sprintf("%s of the policy of the %s denies %s to %s.", capital(name), what, n.Action, nameOf(role)))
			}
		}
		if !allowed {
			r.tell(document, "policy of "+what, "does not allow "+n.Action+" to "+nameOf(role))
			r.decide(code, fault.Inferred, role, fmt.Sprintf("The policy of the %s allows %s neither to %s nor to its account.", what, n.Action, nameOf(role)))
		}
	}
}

// tell adds what a policy says, each sort of it once.
func (r *refusal) tell(document fact.Fact, field, got string) {
	for _, e := range r.evidence {
		if e.Field == field {
			return
		}
	}
	r.evidence = append(r.evidence, fault.Ev(fault.Verified, document, field, got, ""))
}

func capital(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

func orPolicy(by string) string {
	if by == "" {
		return "identity-based policy"
	}
	return by
}

// nameOf is the last part of an ARN, or the text itself.
func nameOf(arn string) string {
	if a, err := fact.ParseARN(arn); err == nil {
		return a.Name()
	}
	return arn
}

// byType is the cause of a policy type that the simulator names.
func byType(by string, explicit bool) string {
	codes := map[string][2]string{"permissions boundary": {boundary, boundaryDeny}, "service control policy": {scp, scpDeny}}
	pair, ok := codes[by]
	if !ok {
		pair = [2]string{noIdentity, identityDeny}
	}
	if explicit {
		return pair[1]
	}
	return pair[0]
}
