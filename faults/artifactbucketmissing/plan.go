package artifactbucketmissing

import (
	"fmt"
	"strings"
	"time"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/plan"
)

// How long a person may take, and how long the action, when it runs again.
const (
	personPatience = 3 * 24 * time.Hour
	actionPatience = 2 * time.Hour
)

// remedy is one line on what to do.
func (t trouble) remedy() string {
	switch t.cause {
	case noStore:
		return fmt.Sprintf("Make a bucket in %s and name it in artifactStores of %s, then start the pipeline.", t.store.Region, t.p.Name)
	case deleted, missing:
		return fmt.Sprintf("Make the bucket again: %s, give it its policy and key, then retry the stage.", t.create(t.store.Bucket))
	case foreign, elsewhere:
		return fmt.Sprintf("Name a bucket of account %s that is in %s in artifactStores of %s, then start the pipeline.", t.scope().Account, t.store.Region, t.p.Name)
	case keyOff:
		return fmt.Sprintf("Enable the key: %s, then retry the stage.", t.kms("enable-key"))
	case keyDoomed:
		return fmt.Sprintf("Keep the key: %s, then %s, then retry the stage.", t.kms("cancel-key-deletion"), t.kms("enable-key"))
	}
	return fmt.Sprintf("Name a key of %s for the bucket %s in %s, or none, then start the pipeline.", t.store.Region, t.store.Bucket, t.p.Name)
}

// create is the command that makes a bucket in the store's Region; us-east-1 wants no location (API_CreateBucket).
func (t trouble) create(bucket string) string {
	line := "aws s3api create-bucket --bucket " + bucket + " --region " + t.store.Region
	if t.store.Region != "us-east-1" {
		line += " --create-bucket-configuration LocationConstraint=" + t.store.Region
	}
	return line
}

func (t trouble) kms(command string) string {
	return "aws kms " + command + " --key-id " + t.store.Key + " --region " + t.store.Region
}

// renames reports whether the pipeline's definition has to change.
func (t trouble) renames() bool {
	switch t.cause {
	case noStore, foreign, elsewhere, keyMissing, keyFar:
		return true
	}
	return false
}

// draft plans a person's step for every store, then the retry. The program makes no buckets and touches no keys itself: what policy and
// key a bucket has to have is its owner's to say.
func draft(s *fact.Snapshot, f fault.Finding, o plan.Options) plan.Draft {
	p, ok := fact.Get[fact.Pipeline](s, f.About)
	if !ok {
		return plan.Draft{}
	}
	all, _, _ := look(s, p)
	var d plan.Draft
	var after []string
	var again *fault.Current
	moved := false
	for _, t := range all {
		step := t.step(s)
		d.Steps, after = append(d.Steps, step), append(after, step.ID)
		moved = moved || t.renames()
		if again == nil && t.failed != nil {
			again = t.failed
		}
	}
	switch {
	case len(d.Steps) == 0:
		return d
	case again != nil && o.NoRestart:
		d.Notes = append(d.Notes, "The stage does not run again (--no-restart).")
	case again != nil:
		c := *again
		if moved {
			c.Pipeline.Updated = s.At() // it will be: AWS allows no retry then, only a start
		}
		retry := fault.Retry(c, after, actionPatience)
		d.Steps, after = append(d.Steps, retry), []string{retry.ID}
	}
	d.Steps = append(d.Steps, plan.Step{
		ID: "verify-" + after[0], Title: "the diagnosis again: the artifact buckets of " + p.Name + " are there", Kind: plan.Verify, Target: f.About,
		After: after, Verdict: string(f.Code), Patience: 5 * time.Minute,
	})
	return d
}

// step is what a person does about one store, with the end that a machine sees.
func (t trouble) step(s *fact.Snapshot) plan.Step {
	p, scope := t.p, t.scope()
	step := plan.Step{ID: "store-" + p.Ref().Scope.Region + "-" + p.Name + "-" + t.store.Region, Kind: plan.Human, Target: p.Ref(), Patience: personPatience}
	guide := &plan.Guide{
		Link: fault.PipelineLink(s.Question(), p), Where: fmt.Sprintf("account %s, Region %s", scope.Account, t.store.Region), Role: "whoever owns the pipeline's artifact buckets and keys",
	}
	edit := fmt.Sprintf("Name it in artifactStores of %s; where Terraform, CDK or CloudFormation owns the pipeline, there. Else: aws codepipeline get-pipeline --region %s --name %s --query pipeline > pipeline.json, edit it, "+
		"aws codepipeline update-pipeline --region %s --pipeline file://pipeline.json. An update fails the runs that are under way.", p.Name, p.Ref().Scope.Region, p.Name, p.Ref().Scope.Region)
	rights := "Let the pipeline's role " + p.RoleARN + " use it (s3:GetObject*, s3:PutObject on its objects; s3:GetBucketLocation, s3:GetBucketVersioning on itself), in the role's policies and in the bucket's own where it has one."
	named := func(field, was string) plan.Check {
		return plan.Check{Ref: p.Ref(), Field: field + "/" + t.store.Region, Op: plan.Not, Value: was}
	}
	switch t.cause {
	case deleted, missing:
		q := t.bucketQuery()
		step.Title, step.Target = "make the bucket "+t.store.Bucket+" in "+t.store.Region, fact.BucketRef(q.Scope, q.Kind, q.ID)
		step.DoneWhen = []plan.Check{{Ref: step.Target, Field: "region", Op: plan.Is, Value: t.store.Region}}
		guide.Checklist = []string{t.create(t.store.Bucket), rights, "A bucket that Terraform, CDK or CloudFormation owns is made there."}
		if t.store.Key != "" {
			guide.Checklist = append(guide.Checklist, "Its artifacts are encrypted with "+t.store.Key+", as the definition says.")
		}
	case noStore, foreign, elsewhere:
		step.Title, step.DoneWhen = "give "+p.Name+" a bucket in "+t.store.Region, []plan.Check{named("store", t.store.Bucket)}
		guide.Checklist = []string{"Take a bucket of account " + scope.Account + " that is in " + t.store.Region + ", or make one: " + t.create("NAME"), rights, edit}
	case keyOff, keyDoomed:
		q := t.keyQuery()
		step.Title, step.Target = "enable the key "+t.store.Key, fact.KeyRef(q.Scope, q.Kind, q.ID)
		step.DoneWhen = []plan.Check{{Ref: step.Target, Field: "state", Op: plan.Is, Value: fact.KeyEnabled}}
		if t.cause == keyDoomed {
			guide.Checklist = append(guide.Checklist, t.kms("cancel-key-deletion")+", which leaves it disabled")
		}
		guide.Checklist = append(guide.Checklist, "Ask its owner why it was switched off before you switch it on.", t.kms("enable-key"), "The way back: "+t.kms("disable-key"))
	default:
		step.Title, step.DoneWhen = "give the store of "+p.Name+" in "+t.store.Region+" a key that is there", []plan.Check{named("store-key", t.store.Key)}
		guide.Checklist = []string{"Take a key of " + t.store.Region + " that the pipeline's role may use, or leave encryptionKey out: then the bucket's own encryption counts.", edit}
	}
	step.SkipWhen = step.DoneWhen
	guide.Handover = strings.TrimSpace(fmt.Sprintf("The pipeline %s (account %s, %s) cannot hand artifacts on: %s %s", p.Name, scope.Account, p.Ref().Scope.Region, t.what(), t.remedy()))
	step.Say = guide
	return step
}
