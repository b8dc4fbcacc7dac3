package fault_test

import (
	"testing"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

func TestRefusedBucket(t *testing.T) {
	const role = "arn:aws:iam::111111111111:role/service-role/Web"
	for text, want := range map[string][2]string{
		`CodePipeline service role "` + role + `" is getting S3 access denied for the S3 bucket "acme-artifacts"`:                                        {"acme-artifacts", role},
		"CodePipeline service role " + role + " is getting S3 access denied for the S3 bucket acme-artifacts.":                                           {"acme-artifacts", role},
		"The service role or action role doesn't have the permissions required to access the Amazon S3 bucket named acme-artifacts. Update the IAM role": {"acme-artifacts", ""},
		"User: " + role + " is not authorized to perform: s3:PutObject on resource: arn:aws:s3:::acme-artifacts/x":                                       {"", ""},
		"": {"", ""},
	} {
		if bucket, by := fault.RefusedBucket(text); bucket != want[0] || by != want[1] {
			t.Errorf("%q: %q, %q", text, bucket, by)
		}
	}
}

// An action in another Region counts unless its failure says for sure that it was something else; one of the pipeline's own Region only when
// AWS names its bucket.
func TestArtifacts(t *testing.T) {
	scope := fact.Scope{Account: "111111111111", Region: "eu-west-1"}
	const said = `CodePipeline service role "arn:aws:iam::111111111111:role/Web" is getting S3 access denied for the S3 bucket "home"`
	for name, tt := range map[string]struct {
		region string
		state  fact.ActionState
		want   bool
	}{
		"far, internal error":    {"us-east-1", fact.ActionState{ErrorCode: "JobFailed", Error: "InternalError"}, true},
		"far, no word":           {"us-east-1", fact.ActionState{}, true},
		"far, got to work":       {"us-east-1", fact.ActionState{Error: "InternalError", External: "d-1"}, false},
		"far, refused something": {"us-east-1", fact.ActionState{Error: "User: arn:aws:sts::1:assumed-role/W/1 is not authorized to perform: codedeploy:CreateDeployment"}, false},
		"far, out of time":       {"us-east-1", fact.ActionState{Error: "The action timed out"}, false},
		"home, its bucket":       {"", fact.ActionState{Error: said}, true},
		"home, named":            {"eu-west-1", fact.ActionState{Error: said}, true},
		"home, internal error":   {"", fact.ActionState{Error: "InternalError"}, false},
		"home, another bucket":   {"", fact.ActionState{Error: `CodePipeline service role "arn:aws:iam::1:role/W" is getting S3 access denied for the S3 bucket "code"`}, false},
	} {
		p := fact.Pipeline{Seen: fact.Seen{About: fact.PipelineRef(scope, "web")}, Name: "web", Stores: []fact.Store{{Region: "eu-west-1", Bucket: "home"}, {Region: "us-east-1", Bucket: "far"}},
			Stages: []fact.Stage{{Name: "Deploy", Actions: []fact.Action{{Name: "Ship", Category: "Deploy", Owner: "AWS", Provider: "CodeDeploy", Region: tt.region}}}}}
		tt.state.Name, tt.state.Status = "Ship", "Failed"
		b := fact.NewBuilder(fact.Question{Account: "111111111111", Regions: []string{"eu-west-1"}})
		b.Add(p, fact.PipelineState{Seen: fact.Seen{About: fact.StateRef(scope, "web")}, Name: "web", Stages: []fact.StageState{{Name: "Deploy", Actions: []fact.ActionState{tt.state}}}})
		all, _ := fault.Artifacts(b.Seal(now), p)
		if (len(all) == 1) != tt.want {
			t.Errorf("%s: %d", name, len(all))
		} else if tt.want && (all[0].Far != (tt.region == "us-east-1") || all[0].Store.Bucket == "") {
			t.Errorf("%s: %+v", name, all[0])
		}
	}
}

// A failure that a fault withholds is no rest fault's, and leaves it unknown; once everything is read, it is.
func TestWithheld(t *testing.T) {
	scope := fact.Scope{Account: "111111111111", Region: "eu-west-1"}
	need := fact.Query{Scope: fact.Scope{Account: scope.Account, Region: "us-east-1"}, Kind: fact.KindBucket, ID: "far"}
	list := fact.Query{Scope: scope, Kind: fact.KindPipelineList}
	rest := &fault.Fault{Code: "rest", Rest: true, Diagnose: func(*fact.Snapshot) fault.Judgement {
		return fault.Judgement{Needs: []fact.Query{list}, Findings: []fault.Finding{{Subject: fault.Subject{ARN: "arn:web", Region: scope.Region}, Evidence: []fault.Evidence{{Field: "web/Deploy/Ship"}}}}}
	}}
	sees := &fault.Fault{Code: "sees", Diagnose: func(s *fact.Snapshot) fault.Judgement {
		j := fault.Judgement{Needs: []fact.Query{list, need}}
		j.Withhold(s, "web/Deploy/Ship", j.Needs)
		return j
	}}
	for _, tt := range []struct {
		read       bool
		rest, sees fault.Verdict
	}{{false, fault.Unknown, fault.Unknown}, {true, fault.Found, fault.Clear}} {
		b := fact.NewBuilder(fact.Question{Account: scope.Account, Regions: []string{scope.Region}})
		b.Cover(list)
		if tt.read {
			b.Cover(need)
		}
		out := fault.Run(b.Seal(now), rest, sees)
		if got := out.Results; len(got) != 2 || got[0].Verdict != tt.rest || got[1].Verdict != tt.sees {
			t.Errorf("read %v: %+v", tt.read, got)
		}
	}
}
