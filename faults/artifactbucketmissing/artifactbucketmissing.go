// Package artifactbucketmissing finds pipelines whose artifact bucket is not there for the Region of an action: in no store, deleted, another
// account's, of another Region, or with a key that does not work. It never judges who may use bucket and key: artifact-denied does.
package artifactbucketmissing

import (
	"fmt"
	"slices"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// diagnose looks at the definition of every pipeline, and at buckets and keys only where a failed action points at them.
func diagnose(s *fact.Snapshot) fault.Judgement {
	pipelines, needs := fault.Subjects(s)
	j := fault.Judgement{Needs: needs}
	for _, p := range pipelines {
		t, needs, helps := look(s, p)
		j.Need(needs...)
		j.Help(helps...)
		fails, _ := fault.Artifacts(s, p)
		for _, x := range fails {
			if len(t) == 0 {
				j.Withhold(s, x.Name(), needs)
			}
		}
		if len(t) > 0 {
			j.Findings = append(j.Findings, finding(s, t))
		}
	}
	return j
}

// trouble is what is wrong with one artifact store of a pipeline.
type trouble struct {
	p      fact.Pipeline
	store  fact.Store
	cause  string
	fact   fact.Fact      // what shows it
	got    string         // of what shows it
	action fact.Action    // that wants the store
	stage  fact.Stage     // of that action
	failed *fault.Current // the failure that points at it; nil before anything failed
	gone   fact.Event     // the deletion
	asked  bool           // event history was asked about deletions
}

// look finds what is wrong with the stores of a pipeline, one trouble for each store, and what has to be read for it.
func look(s *fact.Snapshot, p fact.Pipeline) (all []trouble, needs, helps []fact.Query) {
	fails, state := fault.Artifacts(s, p)
	needs = append(needs, state)
	all = without(s, p)
	for _, x := range fails {
		regions := []string{x.Region}
		if home := p.Ref().Scope.Region; x.Far { // CodePipeline takes the artifact from the bucket of the pipeline's own Region
			regions = append(regions, home)
		}
		for _, r := range regions {
			store, ok := p.Store(r)
			known := slices.ContainsFunc(all, func(t trouble) bool { return t.store.Region == r })
			if !ok || known {
				continue
			}
			t := trouble{p: p, store: store, action: x.Action, stage: x.Stage, failed: &x.Current}
			n, h := t.judge(s)
			needs, helps = append(needs, n...), append(helps, h...)
			if t.cause != "" {
				all = append(all, t)
			}
		}
	}
	return all, needs, helps
}

// without finds actions whose Region has no store: AWS refuses such a definition today, and older ones live on.
func without(s *fact.Snapshot, p fact.Pipeline) []trouble {
	var all []trouble
	fails, _ := fault.Fails(s, p)
	for _, st := range p.Stages {
		for _, a := range st.Actions {
			_, has := p.Store(a.Region)
			known := slices.ContainsFunc(all, func(t trouble) bool { return t.store.Region == a.Region })
			if a.Region == "" || has || known || len(p.Stores) == 0 || a.Region == p.Ref().Scope.Region {
				continue
			}
			t := trouble{p: p, store: fact.Store{Region: a.Region}, cause: noStore, fact: p, got: "absent", action: a, stage: st}
			if i := slices.IndexFunc(fails, func(c fault.Current) bool { return c.Action.Name == a.Name && c.Stage.Name == st.Name }); i >= 0 {
				t.failed = &fails[i]
			}
			all = append(all, t)
		}
	}
	return all
}

func (t *trouble) scope() fact.Scope {
	return fact.Scope{Account: t.p.Ref().Scope.Account, Region: t.store.Region}
}

func (t *trouble) bucketQuery() fact.Query {
	return fact.Query{Scope: t.scope(), Kind: fact.KindBucket, ID: t.store.Bucket}
}

func (t *trouble) keyQuery() fact.Query {
	return fact.Query{Scope: t.scope(), Kind: fact.KindKey, ID: t.store.Key}
}

// judge decides the cause from bucket and key; "" when nothing is wrong with them.
func (t *trouble) judge(s *fact.Snapshot) (needs, helps []fact.Query) {
	q := t.bucketQuery()
	ref := fact.BucketRef(q.Scope, q.Kind, q.ID)
	needs = append(needs, q)
	b, read := fact.Get[fact.Bucket](s, ref)
	if a, gone := s.Absence(ref); gone {
		t.cause, t.fact, t.got = missing, a, "does not exist"
		helps = append(helps, t.deletion(s))
	} else if read && b.Region != t.store.Region {
		t.cause, t.fact, t.got = elsewhere, b, "in "+b.Region
	} else if g, refused := s.GapOf(q); refused && g.Class == fact.Denied {
		own := fault.OwnBucketsQuery(t.p)
		needs = append(needs, own)
		if mine, ok := fact.Get[fact.OwnBuckets](s, fact.Ref{Scope: own.Scope, Kind: own.Kind}); ok && !slices.Contains(mine.Names, t.store.Bucket) {
			t.cause, t.fact, t.got = foreign, mine, "not among the account's buckets"
		}
	}
	if t.cause != "" || t.store.Key == "" {
		return needs, helps
	}
	return append(needs, t.key(s)...), helps
}

// key judges the key that the definition names for the store.
func (t *trouble) key(s *fact.Snapshot) []fact.Query {
	if a, err := fact.ParseARN(t.store.Key); err == nil && a.Region != t.store.Region {
		t.cause, t.fact, t.got = keyFar, t.p, "in "+a.Region
		return nil // KMS answers for keys of its own Region only
	}
	q := t.keyQuery()
	ref := fact.KeyRef(q.Scope, q.Kind, q.ID)
	if a, gone := s.Absence(ref); gone {
		t.cause, t.fact, t.got = keyMissing, a, "does not exist"
	} else if k, read := fact.Get[fact.Key](s, ref); read && k.State != fact.KeyEnabled {
		switch k.State {
		case fact.KeyDisabled:
			t.cause, t.fact, t.got = keyOff, k, k.State
		case fact.KeyPendingDeletion:
			t.cause, t.fact, t.got = keyDoomed, k, k.State+", "+fault.Stamp(k.Deletion)
		}
	}
	return []fact.Query{q}
}

// deletion finds the newest event that deleted the bucket.
func (t *trouble) deletion(s *fact.Snapshot) fact.Query {
	for e := range fact.All[fact.Event](s) {
		if e.Name == "DeleteBucket" && e.ErrorCode == "" && e.Resource == t.store.Bucket && e.Time.After(t.gone.Time) {
			t.gone, t.cause = e, deleted
		}
	}
	q := fact.Query{Scope: t.scope(), Kind: fact.KindEvent, ID: "DeleteBucket"}
	t.asked = s.Answered(q)
	return q
}

// finding is one for all troubles of a pipeline: the first that made an action fail comes first.
func finding(s *fact.Snapshot, all []trouble) fault.Finding {
	slices.SortStableFunc(all, func(a, b trouble) int {
		return map[bool]int{true: 0, false: 1}[a.failed != nil] - map[bool]int{true: 0, false: 1}[b.failed != nil]
	})
	t := all[0]
	f := fault.Finding{
		Title: "A pipeline's artifact bucket is not there, or its key does not work", Severity: fault.High, Bucket: fault.Configuration,
		Subject: fault.PipelineSubject(t.p), About: t.p.Ref(), Link: fault.PipelineLink(s.Question(), t.p),
		Message: t.message(), Cause: t.why(), Remedy: t.remedy(),
	}
	f.Details.More = map[string]string{"region": t.store.Region}
	if t.store.Bucket != "" {
		f.Details.More["bucket"] = t.store.Bucket
	}
	if t.store.Key != "" {
		f.Details.More["key"] = t.store.Key
	}
	if t.failed == nil {
		f.Severity = fault.Medium
	} else {
		f.Since = fault.Stamp(t.failed.State.Changed)
	}
	told := map[string]bool{}
	for i, x := range all {
		f.Evidence = append(f.Evidence, x.evidence(told)...)
		if i > 0 {
			f.Message += " " + x.message()
		}
	}
	return f
}

func (t trouble) message() string {
	at := fmt.Sprintf("%s of %s", t.action.Name, t.p.Name)
	if t.failed != nil {
		return fmt.Sprintf("%s failed: %s", at, t.what())
	}
	return fmt.Sprintf("%s will fail when it runs: %s", at, t.what())
}

// what is the trouble in half a sentence.
func (t trouble) what() string {
	switch t.cause {
	case noStore:
		return "the pipeline has no artifact bucket in " + t.store.Region + "."
	case deleted, missing:
		return "the artifact bucket " + t.store.Bucket + " does not exist."
	case foreign:
		return "the artifact bucket " + t.store.Bucket + " is likely another account's."
	case elsewhere:
		return "the artifact bucket " + t.store.Bucket + " for " + t.store.Region + " is " + t.got + "."
	}
	return "the key of the artifact bucket " + t.store.Bucket + " does not work."
}

func (t trouble) why() fault.Cause {
	c := fault.Cause{Code: t.cause, Class: fault.Verified}
	switch t.cause {
	case noStore:
		c.Text = fmt.Sprintf("%s runs in %s, and artifactStores has no entry for that Region. AWS accepts no such definition today: this one is older.", t.action.Name, t.store.Region)
	case deleted:
		c.Class = fault.Reported
		c.Text = fmt.Sprintf("%s deleted the bucket at %s.", t.gone.Who.Label(), fault.Stamp(t.gone.Time))
	case missing:
		c.Text = "There is no bucket of that name in any account, and event history shows no deletion."
		if !t.asked {
			c.Class, c.Text = fault.Unclear, "There is no bucket of that name in any account. Whether somebody deleted it CloudTrail would show."
		}
	case foreign:
		c.Class = fault.Inferred
		c.Text = "AWS refuses to tell of it, and the account does not own it: likely the name is another account's."
	case elsewhere:
		c.Text = fmt.Sprintf("The bucket is %s, and the store is for actions in %s.", t.got, t.store.Region)
	case keyOff:
		c.Text = "The key " + t.store.Key + " is disabled: nothing can be encrypted or decrypted with it."
	case keyDoomed:
		c.Text = "The key " + t.store.Key + " waits for its deletion (" + t.got + "): nothing can be encrypted or decrypted with it."
	case keyMissing:
		c.Text = "The key " + t.store.Key + " does not exist in " + t.store.Region + "."
	case keyFar:
		c.Text = fmt.Sprintf("The key is %s, and keys work in their own Region only.", t.got)
	}
	return c
}

func (t trouble) evidence(told map[string]bool) []fault.Evidence {
	field, want := "s3://"+t.store.Bucket+" in "+t.store.Region, "exists"
	class := t.why().Class
	switch t.cause {
	case noStore:
		field, want = "artifactStores/"+t.store.Region, "a bucket"
	case deleted, missing:
		class = fault.Verified // that it is gone
	case elsewhere:
		want = "in " + t.store.Region
	case foreign:
		want = "the account's own"
	case keyFar:
		field, want = "key of the store of "+t.store.Region, "in "+t.store.Region
	case keyOff, keyDoomed, keyMissing:
		field, want = t.store.Key, fact.KeyEnabled
	}
	all := []fault.Evidence{fault.Ev(class, t.fact, field, t.got, want)}
	if !t.gone.Time.IsZero() {
		e := fault.Ev(fault.Reported, t.gone, t.gone.Name, t.gone.Who.Label(), "")
		e.Text = fault.Stamp(t.gone.Time)
		all = append(all, e)
	}
	if t.failed != nil && !told[t.failed.Name()] {
		told[t.failed.Name()] = true
		all = append(all, t.failed.Evidence())
	}
	return all
}
